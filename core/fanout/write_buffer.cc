#include "fanout/write_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/link.h"

namespace tickwire {

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

void WriteBuffer::append(std::string_view framed) {
  std::memcpy(reserve(framed.size()), framed.data(), framed.size());
  size_ += framed.size();
}

void WriteBuffer::append_message(const Framing& framing, std::string_view payload, bool compressed) {
  char* const begin = reserve(Framing::kExtraBytesMax + payload.size());
  size_ += static_cast<std::size_t>(framing.put(begin, payload, compressed) - begin);
}

void WriteBuffer::append_linked(const Framing& framing, const Assembled& message,
                                std::span<const std::uint32_t> gaps) {
  // The head's size depends on the payload's, known only once it is linked: mostly the shortest one is right.
  const std::size_t guess = framing.head_bytes(0);
  char* const begin = reserve(Framing::kExtraBytesMax + message.reserve_bytes());
  const std::size_t payload = link(message, gaps, begin + guess);
  const std::size_t head = framing.head_bytes(payload);
  if (head != guess) std::memmove(begin + head, begin + guess, payload);
  framing.put_head(begin, payload, true);
  size_ += head + payload;
}

}  // namespace tickwire
