// Copies of a store: a backup, and its way back. No server may hold what is written to; any thread.
//
// A copy never says that its run ended cleanly: whoever starts on it begins a new epoch, so that no (epoch,
// seq) that clients saw after the copy was made can mean two things.
#pragma once

#include <string>

#include "base/error.h"
#include "store/sqlite.h"

namespace tickwire {

// Copies an open store into `target`, one file that appears under its name only once it is whole and on the
// disk. kStoreIo, also where `target` exists; then no file is left behind.
Status copy_store(Database& store, const std::string& target);

// The same for a closed copy, also onto another file system.
Status copy_file(const std::string& copy, const std::string& target);

// The same for a store that no server holds. kStoreMissing: there is none; what Store::open returns. What is
// wrong with `target` is found first.
Status backup_store(const std::string& path, const std::string& target);

// Puts a copy of `backup` in the place of the store at `path`. The store that was there is set aside; returns
// its new name, empty where there was none. kStoreLocked: a server holds it. kStoreMissing, kStoreForeign,
// kStoreDamaged, kStoreNewer: `backup` is no store that could be started. After any error everything is where
// it was.
Result<std::string> restore_store(const std::string& backup, const std::string& path);

}  // namespace tickwire
