#include "store/schema.h"

#include <fmt/format.h>

#include <array>

namespace tickwire {
namespace {

// Step i leads from version i to i + 1. A released step never changes.
constexpr std::array kMigrations{
    // clean: the last run marked its end, so its epoch may go on.
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE image(topic TEXT PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL,"
    " status TEXT NOT NULL, image TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    // The rings of topics whose history is stored.
    "CREATE TABLE event(topic TEXT NOT NULL, seq INTEGER NOT NULL, ts INTEGER NOT NULL, data TEXT NOT NULL,"
    " PRIMARY KEY(topic, seq)) STRICT, WITHOUT ROWID;",
    // What a topic's feed declared it to be (value, event); empty: nothing.
    "ALTER TABLE image ADD COLUMN delivery TEXT NOT NULL DEFAULT '';",
    // Subjects whose tokens were revoked, and up to which moment (Unix milliseconds).
    "CREATE TABLE revocation(subject TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    // An operator's halt (empty: none) and until when (Unix milliseconds; 0: until it is ended). `status` is
    // the one beneath it.
    "ALTER TABLE image ADD COLUMN halt TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE image ADD COLUMN halt_until INTEGER NOT NULL DEFAULT 0;",
};

struct Identity {
  std::int64_t application_id = 0;
  std::int64_t version = 0;
  bool empty = true;
};

Result<Identity> identify(Database& database) {
  const auto application_id = database.query_integer("PRAGMA application_id");
  if (!application_id) return application_id.error();
  const auto version = database.query_integer("PRAGMA user_version");
  if (!version) return version.error();
  const auto tables = database.query_integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  return Identity{*application_id, *version, *tables == 0};
}

Status check_identity(const Database& database, const Identity& found) {
  if (found.application_id != kStoreApplicationId) {
    return database.error(
        ErrorCode::kStoreForeign,
        fmt::format("is a SQLite file of another program (application_id {}); choose another path",
                    found.application_id));
  }
  if (found.version > kStoreSchemaVersion) {
    return database.error(
        ErrorCode::kStoreNewer,
        fmt::format("was written by a newer tickwire (schema {}, this one knows {}); run that "
                    "one, or choose another path",
                    found.version, kStoreSchemaVersion));
  }
  return ok_status();
}

}  // namespace

const int kStoreSchemaVersion = static_cast<int>(kMigrations.size());

Status check_schema(Database& database) {
  const Result<Identity> found = identify(database);
  return found ? check_identity(database, *found) : found.error();
}

Status prepare_schema(Database& database) {
  const Result<Identity> found = identify(database);
  if (!found) return found.error();
  const bool is_new = found->application_id == 0 && found->version == 0 && found->empty;
  if (Status ours = is_new ? ok_status() : check_identity(database, *found); !ours) return ours;
  if (Status wal = database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"); !wal) return wal;
  for (auto step = static_cast<std::size_t>(found->version); step < kMigrations.size(); ++step) {
    const std::string sql = fmt::format("BEGIN; {} PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                        kMigrations.at(step), kStoreApplicationId, step + 1);
    if (Status applied = database.exec(sql); !applied) return applied;
  }
  return ok_status();
}

}  // namespace tickwire
