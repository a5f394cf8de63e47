#include "store/sqlite.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file_kind.h"

namespace tickwire {
namespace {

// SQLite takes ":memory:" and the like for something else.
std::string absolute(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).string();
}

// As the path of a URI (RFC 3986).
std::string uri_path(const std::string& path) {
  std::string out;
  for (const char byte : path) {
    if (byte == '%' || byte == '?' || byte == '#') {
      out += fmt::format("%{:02X}", static_cast<unsigned>(byte));
    } else {
      out += byte;
    }
  }
  return out;
}

}  // namespace

void Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), parameter, value);
}

void Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(handle_.get(), parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int Statement::step() {
  return sqlite3_step(handle_.get());
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Status Database::check_place(const std::string& path) {
  const Database named(path);
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::absolute(path, ignored);
  if (!std::filesystem::is_directory(file.parent_path(), ignored)) {
    return named.error(ErrorCode::kStoreMissing,
                       fmt::format("the folder {} does not exist; create it, or choose another path",
                                   file.parent_path().string()));
  }
  return named.check_kinds();
}

Status Database::check_kinds() const {
  std::error_code ignored;
  const std::string real = std::filesystem::weakly_canonical(path_, ignored).string();
  for (const std::string_view part : {"", "-journal", "-wal"}) {
    const auto kind = other_than_file((real.empty() ? path_ : real) + std::string(part));
    if (!kind) continue;
    const bool is_folder = part.empty() && *kind == "a folder";
    return Error{ErrorCode::kStoreIo,
                 fmt::format("store.path: {}{} is {}{}", path_, part, *kind,
                             is_folder ? "; name a file in it"
                                       : ", where a file must be; move it away, or choose another path"),
                 "store.path"};
  }
  return ok_status();
}

Result<Database> Database::open_handle(const std::string& path, const std::string& name, int flags) {
  Database database(path);
  if (Status plain = database.check_kinds(); !plain) return plain.error();
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle_.reset(handle);
  if (opened != SQLITE_OK) return database.error(opened);
  return database;
}

Result<Database> Database::open(const std::string& path) {
  Result<Database> database = open_handle(path, absolute(path), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!database) return database;
  if (sqlite3_db_readonly(database->handle_.get(), "main") != 0) {
    return database->error(ErrorCode::kStoreIo, "may only be read by this user; grant write access");
  }
  // The lock of this transaction is kept until the file is closed. It keeps SQLite's own tools out, and lets
  // the index of the write-ahead log live in memory, where no other program can harm it.
  if (Status locked = database->exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT"); !locked) {
    return locked.error();
  }
  return database;
}

Result<Database> Database::open_to_read(const std::string& path) {
  std::error_code ignored;
  const auto has = [&](std::string_view part) {
    const std::string beside = std::filesystem::weakly_canonical(path, ignored).string() + std::string(part);
    return std::filesystem::exists(beside, ignored) && std::filesystem::file_size(beside, ignored) > 0;
  };
  // A file that has nothing to be applied to it is read as it is: SQLite would leave a log and an index
  // beside it.
  const bool whole = !has("-wal") && !has("-journal");
  Result<Database> database =
      open_handle(path, "file:" + uri_path(absolute(path)) + (whole ? "?immutable=1" : ""),
                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (!database) return database;
  // The index of a log that is there lives in memory then.
  if (Status alone = database->exec("PRAGMA locking_mode=EXCLUSIVE"); !alone) return alone.error();
  return database;
}

void Database::abandon(bool complete) {
  if (complete)
    sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  handle_.reset();
}

Status Database::copy_to(Database& target) {
  sqlite3_backup* backup = sqlite3_backup_init(target.handle_.get(), "main", handle_.get(), "main");
  if (backup == nullptr) return target.error(sqlite3_errcode(target.handle_.get()));
  const int stepped = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return ok_status();
  return target.error(finished == SQLITE_OK ? stepped : finished);
}

Status Database::exec(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return ok_status();
  return error(code);
}

Result<Statement> Database::prepare(const std::string& sql) {
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return error(code);
  return Statement(handle);
}

Result<std::int64_t> Database::query_integer(const std::string& sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return statement.error();
  const int code = statement->step();
  if (code != SQLITE_ROW) return error(code);
  return statement->integer(0);
}

void Database::rollback() {
  if (sqlite3_get_autocommit(handle_.get()) == 0)
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Error Database::error(int code) const {
  const std::string reason = sqlite3_errmsg(handle_.get());
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ErrorCode::kStoreLocked,
                   "is in use by another process; stop that one, or choose another path");
    case SQLITE_NOTADB:
      if (!has_sqlite_header()) {
        return error(ErrorCode::kStoreForeign,
                     "is not a store of tickwire, nor any SQLite file; choose another path");
      }
      [[fallthrough]];
    case SQLITE_CORRUPT:
      return error(
          ErrorCode::kStoreDamaged,
          fmt::format("is damaged ({}); put a copy in its place, move it away to start empty, or set "
                      "store.on_damage = \"start-empty\"",
                      reason));
    default:
      return error(ErrorCode::kStoreIo, fmt::format("cannot be used ({}{})", reason, system_reason()));
  }
}

std::string Database::system_reason() const {
  const int number = sqlite3_system_errno(handle_.get());
  return number == 0 ? "" : fmt::format(": {}", std::generic_category().message(number));
}

Error Database::error(ErrorCode code, std::string_view what) const {
  return {code, fmt::format("store.path: {} {}", path_, what), "store.path"};
}

bool Database::has_sqlite_header() const {
  // Through SQLite's own descriptor: closing another one of this file would drop this process' locks on it.
  constexpr std::string_view kMagic{"SQLite format 3\0", 16};
  std::array<char, kMagic.size()> start{};
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  if (file == nullptr || file->pMethods == nullptr) return false;
  const int code = file->pMethods->xRead(file, start.data(), static_cast<int>(start.size()), 0);
  return code == SQLITE_OK && std::string_view(start.data(), start.size()) == kMagic;
}

}  // namespace tickwire
