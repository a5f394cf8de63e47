// WriteBuffer: the shard's scratch, in which one write of one session is put together: whole WebSocket
// frames, plain or compressed (RSV1, RFC 7692 section 6). Kept between writes; grows to the largest one and
// stays. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "codec/assembled.h"
#include "protocol/format.h"

namespace tickwire {

class WriteBuffer {
 public:
  void clear() { size_ = 0; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

  void append(std::string_view frames);
  void append_compressed_frame(Opcode opcode, std::string_view payload);
  void append_linked_frame(Opcode opcode, const Assembled& message, std::span<const std::uint32_t> gaps);

 private:
  // Room for so many bytes more.
  char* reserve(std::size_t bytes);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tickwire
