// read_small_file: a file of a few bytes that the configuration names: a secret, keys. Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace tickwire {

// Its first bytes, at most `bytes_max`. kBadConfig, whose message follows the path: "is a folder, not a
// file".
Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max);

}  // namespace tickwire
