// read_secret_file: a secret out of a file of its own, as systemd, Docker and Kubernetes hand them to a
// server. Any thread; reads the file and nothing else.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kSecretBytesMax = 8'192;

struct SecretFile {
  std::string text;     // without the line break at the end of the file
  std::string warning;  // about its permissions; empty: they are as they should be
};

// kBadConfig, which names `key`: the file cannot be read, is no regular file, is longer than kSecretBytesMax,
// is empty, has more than one line, or is not UTF-8. The message has nothing of what the file holds.
Result<SecretFile> read_secret_file(const std::string& key, const std::string& path);

}  // namespace tickwire
