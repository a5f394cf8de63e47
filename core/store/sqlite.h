// Database and Statement: as much of SQLite as the store needs, owned and with its failures as Errors.
//
// One thread at a time per Database and its Statements; Statements die before their Database.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

class Statement {
 public:
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  // Parameters count from 1. A text must live until reset().
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view text);
  // SQLITE_ROW, SQLITE_DONE, or an error for Database::error.
  int step();
  void reset();
  // Columns count from 0; a text is valid until the next step().
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  // Whether a store can lie at this path. kStoreMissing: there is no such folder. kStoreIo: it, or what
  // SQLite keeps beside it, is a folder, a FIFO, a socket or a device.
  static Status check_place(const std::string& path);
  // Opens or creates the file, where check_place allows one, and takes it for this process alone.
  // kStoreLocked, kStoreForeign (not SQLite at all), kStoreDamaged, kStoreIo.
  static Result<Database> open(const std::string& path);
  // Opens a file that exists and that no server holds, changes nothing in it and leaves nothing beside it.
  // The same errors.
  static Result<Database> open_to_read(const std::string& path);

  Status exec(const std::string& sql);
  // Runs the statement for each, or none; the first column of the first row.
  Result<std::int64_t> query_integer(const std::string& sql);
  Result<Statement> prepare(const std::string& sql);
  // Undoes the open transaction, if there is one.
  void rollback();
  // Lets go of a file that may not be behind its path any more: removes no file by its name. `complete`:
  // first takes over into the file what only its write-ahead log has. Nothing may be called after it.
  void abandon(bool complete);
  // Copies everything, as it is now, into `target`, a new database that was just opened. kStoreIo.
  Status copy_to(Database& target);

  // A failure of this database as what a person can act on.
  [[nodiscard]] Error error(int code) const;
  [[nodiscard]] Error error(ErrorCode code, std::string_view what) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  // `name` is what SQLite knows the file at `path` by.
  static Result<Database> open_handle(const std::string& path, const std::string& name, int flags);
  explicit Database(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Status check_kinds() const;
  [[nodiscard]] bool has_sqlite_header() const;
  [[nodiscard]] std::string system_reason() const;

  std::string path_;  // as the configuration names it
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace tickwire
