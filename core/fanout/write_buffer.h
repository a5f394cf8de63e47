// WriteBuffer: the shard's scratch, in which one write of one session is put together: whole messages, each
// in the session's framing. A payload is copied once, straight behind its head. Kept between writes; grows to
// the largest one and stays. Loop thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "codec/assembled.h"
#include "session/framing.h"

namespace tickwire {

class WriteBuffer {
 public:
  void clear() { size_ = 0; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

  // Messages that are framed already.
  void append(std::string_view framed);
  void append_message(const Framing& framing, std::string_view payload, bool compressed);
  void append_linked(const Framing& framing, const Assembled& message, std::span<const std::uint32_t> gaps);

 private:
  // Room for so many bytes more.
  char* reserve(std::size_t bytes);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tickwire
