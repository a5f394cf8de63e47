#include "store/sqlite.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tickwire {

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
  if (std::filesystem::is_directory(file, ignored)) {
    return named.error(ErrorCode::kStoreIo, "is a folder; name a file in it");
  }
  return ok_status();
}

Result<Database> Database::open_handle(const std::string& path, int flags) {
  Database database(path);
  std::error_code ignored;
  // Absolute, since SQLite takes ":memory:" and the like for something else.
  const std::filesystem::path file = std::filesystem::absolute(path, ignored);
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle_.reset(handle);
  if (opened != SQLITE_OK) return database.error(opened);
  return database;
}

Result<Database> Database::open(const std::string& path) {
  Result<Database> database = open_handle(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
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
  return open_handle(path, SQLITE_OPEN_READONLY);
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
