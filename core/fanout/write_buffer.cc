#include "fanout/write_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "codec/link.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

constexpr std::size_t kShortHeaderBytes = 2;  // payloads below 126 bytes
constexpr std::size_t kShortPayloadBytesMax = 125;
constexpr std::size_t kMediumHeaderBytes = 4;  // below 64 KiB, as all linked ones are
constexpr unsigned kFinRsv1 = 0xC0;

}  // namespace

char* WriteBuffer::reserve(std::size_t bytes) {
  if (size_ + bytes > capacity_) {
    const std::size_t capacity = std::max(size_ + bytes, 2 * capacity_);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  return bytes_.get() + size_;
}

void WriteBuffer::append(std::string_view frames) {
  std::memcpy(reserve(frames.size()), frames.data(), frames.size());
  size_ += frames.size();
}

void WriteBuffer::append_compressed_frame(Opcode opcode, std::string_view payload) {
  std::string header;
  append_frame_header(header, opcode, true, payload.size());
  append(header);
  append(payload);
}

void WriteBuffer::append_linked_frame(Opcode opcode, const Assembled& message,
                                      std::span<const std::uint32_t> gaps) {
  // The header's size depends on the payload's, known only once it is linked: mostly the short one is right.
  char* const frame = reserve(kMediumHeaderBytes + message.reserve_bytes());
  const std::size_t payload = link(message, gaps, frame + kShortHeaderBytes);
  frame[0] = static_cast<char>(kFinRsv1 | static_cast<unsigned>(opcode));
  if (payload <= kShortPayloadBytesMax) {
    frame[1] = static_cast<char>(payload);
    size_ += kShortHeaderBytes + payload;
    return;
  }
  assert(payload <= 0xFFFF);
  std::memmove(frame + kMediumHeaderBytes, frame + kShortHeaderBytes, payload);
  frame[1] = 126;
  frame[2] = static_cast<char>(payload >> 8U);
  frame[3] = static_cast<char>(payload & 0xFFU);
  size_ += kMediumHeaderBytes + payload;
}

}  // namespace tickwire
