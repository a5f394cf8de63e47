// BackupRequest: asks the process that holds a store for a copy of it, through the store's own folder.
//
// SQLite lets nobody else read a store that a server holds (sqlite.h), so the server makes the copy itself:
//
//   asks:    makes <store>.backup-request and holds its lock ──────────┐ sees that it is gone, takes the copy
//   away server:  sees it at its next flush ── writes <store>.backup-copy ──┘ and removes the request
//
// Whoever may write to that folder may ask; that one could take the store itself. The server writes to no
// other place, and reads nothing of the request. A request whose lock nobody holds is left over, and removed.
#pragma once

#include <string>

#include "base/error.h"
#include "store/file_lock.h"
#include "store/sqlite.h"

namespace tickwire {

class BackupRequest {
 public:
  // For the store at `path`. kStoreLocked: somebody else asks just now. kStoreIo.
  static Result<BackupRequest> make(const std::string& path);
  // Withdraws the request, and removes a copy that was made for it.
  ~BackupRequest();
  BackupRequest(BackupRequest&&) = default;
  BackupRequest& operator=(BackupRequest&&) = delete;
  BackupRequest(const BackupRequest&) = delete;
  BackupRequest& operator=(const BackupRequest&) = delete;

  // Whether the server has yet to look at it.
  [[nodiscard]] bool is_waiting() const;
  // After that: puts the copy under the name `target`, which must be new. kStoreIo.
  Status take(const std::string& target);

 private:
  BackupRequest(std::string store, FileLock lock);

  std::string store_;
  FileLock lock_;
};

// The server's side: makes the copy that somebody waits for, if there is one. Costs a stat(2) where there is
// none.
void serve_backup_request(Database& store, const std::string& path);
// Removes copies, whole and in part, that a server or a reader which was killed has left beside the store.
void remove_backup_copies(const std::string& path);
// Removes a request for a store that cannot be read just now: whoever waits is told so.
void refuse_backup_request(const std::string& path);

}  // namespace tickwire
