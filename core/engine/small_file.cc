#include "engine/small_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/file_kind.h"

namespace tickwire {

Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
  const auto bad = [](std::string what) { return Error{ErrorCode::kBadConfig, std::move(what), ""}; };
  if (const auto kind = other_than_file(path)) return bad(fmt::format("is {}, not a file", *kind));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && !file)
    return bad(fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace tickwire
