// FileLock: holds one file for one process alone, whatever else this process does with the file.
//
// It is a flock(2), which belongs to the open file: locks of fcntl(2), such as SQLite's, vanish as soon as
// any descriptor of the file is closed anywhere in the process. A child made by fork() gives its copy up at
// once, so that no child keeps the lock after its parent died. A value that can be moved; one thread at a
// time.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace tickwire {

class FileLock {
 public:
  // Opens the file, making an empty one where there is none, and locks it without waiting. kStoreLocked:
  // somebody holds it. kStoreIo: it cannot be opened, or is a FIFO, a folder, a device. The messages name
  // `path` and nothing else.
  static Result<FileLock> take(const std::string& path);
  // Whether somebody, this process included, holds the file at `path`. Makes no file.
  static bool is_taken(const std::string& path);
  ~FileLock() { release(); }
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // The locked file's descriptor; -1 after release().
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Whether `path` still leads to the locked file.
  [[nodiscard]] bool is_at(const std::string& path) const;
  // Idempotent.
  void release();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace tickwire
