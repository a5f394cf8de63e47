// The receiving half of RFC 6455 as a load client needs it: server frames out of a byte stream.
#pragma once

#include <zlib.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "console.h"

namespace tickwire::bench {

struct Frame {
  std::uint8_t opcode = 0;
  bool compressed = false;
  std::string_view payload;
};

// Takes a whole frame from the front of `bytes`; false: there is none yet.
inline bool take_frame(std::string_view& bytes, Frame& frame) {
  if (bytes.size() < 2) return false;
  const auto byte = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if ((byte(0) & 0x80U) == 0 || (byte(1) & 0x80U) != 0) fail("a fragmented or masked frame from the server");
  std::size_t head = 2, size = byte(1);
  if (size >= 126) {
    const std::size_t digits = size == 126 ? 2 : 8;
    if (bytes.size() < head + digits) return false;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8U | byte(head + i);
    head += digits;
  }
  if (bytes.size() < head + size) return false;
  frame = {static_cast<std::uint8_t>(byte(0) & 0xFU), (byte(0) & 0x40U) != 0, bytes.substr(head, size)};
  bytes.remove_prefix(head + size);
  return true;
}

// A client's frame. Its mask is zero, which is a mask like any other and leaves the payload as it is.
inline std::string client_frame(std::uint8_t opcode, std::string_view payload) {
  std::string frame{static_cast<char>(0x80U | opcode)};
  const std::size_t digits = payload.size() < 126 ? 0 : payload.size() <= 0xFFFF ? 2 : 8;
  frame += static_cast<char>(0x80U | (digits == 0 ? payload.size() : digits == 2 ? 126U : 127U));
  for (std::size_t i = digits; i-- > 0;) frame += static_cast<char>(payload.size() >> (8 * i) & 0xFFU);
  return frame.append(4, '\0').append(payload);
}

// The bytes of the client's frame that begins here, its head included. Heads must not be cut in two.
inline std::size_t client_frame_size(std::string_view bytes) {
  const auto byte = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const std::size_t length = bytes.size() < 2 ? 0 : byte(1) & 0x7FU;
  const std::size_t digits = length < 126 ? 0 : length == 126 ? 2 : 8;
  if (bytes.size() < 2 + digits) fail("the head of a frame was cut in two");
  std::size_t size = digits == 0 ? length : 0;
  for (std::size_t i = 0; i < digits; ++i) size = size << 8U | byte(2 + i);
  return 2 + digits + 4 + size;
}

// zlib's inflate with its context, which is what a browser has. Ends the program on a stream that is wrong.
class Inflate {
 public:
  Inflate() { inflateInit2(&stream_, -15); }
  ~Inflate() { inflateEnd(&stream_); }
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;

  // Appends.
  void message(std::string_view payload, std::string& text) {
    feed(payload, text);
    feed(std::string_view("\x00\x00\xff\xff", 4), text);
  }

 private:
  void feed(std::string_view bytes, std::string& text) {
    std::array<char, 16384> out;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = out.size();
      const int code = inflate(&stream_, Z_SYNC_FLUSH);
      if (code != Z_OK && code != Z_BUF_ERROR) fail("inflate refuses what the server sent");
      text.append(out.data(), out.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }
  z_stream stream_{};
};

}  // namespace tickwire::bench
