// What a path leads to, for a program that is about to open it: opening a FIFO may wait for ever for its
// other end, and reading a device may never end. Any thread; two calls of stat(2) at most.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

namespace tickwire {

// In words, as in "is a FIFO".
inline std::string_view file_kind(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a file";
    case S_IFDIR:
      return "a folder";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

// The kind of what `path` leads to after symbolic links, where that is no regular file. Nothing: it is one,
// or nothing can be seen there.
inline std::optional<std::string_view> other_than_file(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0 || S_ISREG(found.st_mode)) return std::nullopt;
  return file_kind(found.st_mode);
}

}  // namespace tickwire
