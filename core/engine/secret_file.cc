#include "engine/secret_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/small_file.h"
#include "model/utf8.h"

namespace tickwire {
namespace {

bool is_control(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
}

std::string without_line_break(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

// What is wrong with it, or nothing.
std::optional<std::string> fault_of(std::string_view secret) {
  if (secret.empty()) return "is empty";
  if (!valid_utf8(secret)) return "is not UTF-8";
  if (std::ranges::any_of(secret, is_control)) return "must hold one line of text";
  return std::nullopt;
}

std::string warning_about(const std::string& key, const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};
  if ((found.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) == 0) return {};
  return fmt::format("{}: other users can read or change {} (mode {:04o}); chmod 600 it", key, path,
                     found.st_mode & 0777U);
}

}  // namespace

Result<SecretFile> read_secret_file(const std::string& key, const std::string& path) {
  const auto bad = [&](std::string_view what) {
    return Error{ErrorCode::kBadConfig, fmt::format("{}: {} {}", key, path, what), key};
  };
  constexpr std::size_t kBytesRead = kSecretBytesMax + 2;  // with a line break
  Result<std::string> text = read_small_file(path, kBytesRead);
  if (!text) return bad(text.error().message);
  const bool whole = text->size() < kBytesRead;
  SecretFile secret{without_line_break(std::move(*text)), warning_about(key, path)};
  if (secret.text.size() > kSecretBytesMax || !whole) {
    return bad(fmt::format("is longer than {} bytes, the most that a secret may have", kSecretBytesMax));
  }
  if (const auto fault = fault_of(secret.text)) return bad(*fault);
  return secret;
}

}  // namespace tickwire
