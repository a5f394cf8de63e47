// Format: in which bytes a session's messages travel. The handshake's subprotocol chooses it; what the
// messages say is the same in all of them. Plain values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace tickwire {

enum class Format : std::uint8_t { kJson, kMsgpack, kCbor };
inline constexpr std::size_t kBinaryFormatCount = 2;

// By Format. Literals, so that C may read them too.
inline constexpr std::array<const char*, 1 + kBinaryFormatCount> kSubprotocols{
    "tickwire.v1.json", "tickwire.v1.msgpack", "tickwire.v1.cbor"};

// Nothing: none of ours.
constexpr std::optional<Format> format_of(std::string_view subprotocol) {
  for (std::size_t i = 0; i < kSubprotocols.size(); ++i) {
    if (subprotocol == kSubprotocols.at(i)) return static_cast<Format>(i);
  }
  return std::nullopt;
}

// "json": the end of its subprotocol.
constexpr std::string_view name_of(Format format) {
  const std::string_view subprotocol = kSubprotocols.at(static_cast<std::size_t>(format));
  return subprotocol.substr(subprotocol.rfind('.') + 1);
}

// A T for each binary format, in the order of Format.
template <typename T>
class PerBinaryFormat {
 public:
  T& in(Format format) { return all_.at(static_cast<std::size_t>(format) - 1); }
  const T& in(Format format) const { return all_.at(static_cast<std::size_t>(format) - 1); }

 private:
  std::array<T, kBinaryFormatCount> all_;
};

// A T for each format, of one thread. Those of the binary formats are made at first need, so that a plant
// that speaks JSON alone pays a pointer for them.
template <typename T>
class PerFormat {
 public:
  T& in(Format format) {
    if (format == Format::kJson) return json_;
    if (binary_ == nullptr) binary_ = std::make_unique<PerBinaryFormat<T>>();
    return binary_->in(format);
  }

 private:
  T json_;
  std::unique_ptr<PerBinaryFormat<T>> binary_;
};

}  // namespace tickwire
