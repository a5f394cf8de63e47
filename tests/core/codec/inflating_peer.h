// InflatingPeer: the other end of a stream, as every WebSocket client has it: zlib's inflate with its
// context kept from message to message. The judge of all that codec/ writes.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tickwire::test {

class InflatingPeer {
 public:
  InflatingPeer() {
    if (inflateInit2(&stream_, -15) != Z_OK) throw std::runtime_error("inflateInit2");
  }
  ~InflatingPeer() { inflateEnd(&stream_); }
  InflatingPeer(const InflatingPeer&) = delete;
  InflatingPeer& operator=(const InflatingPeer&) = delete;

  // The message of a permessage-deflate payload, or why it is none.
  std::string receive(std::string_view payload) {
    std::string input(payload);
    input.append("\x00\x00\xff\xff", 4);
    std::string message;
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    char chunk[16384];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(chunk);
      stream_.avail_out = sizeof chunk;
      const int code = inflate(&stream_, Z_SYNC_FLUSH);
      if (code != Z_OK && code != Z_BUF_ERROR) {
        return std::string("inflate: ") + (stream_.msg != nullptr ? stream_.msg : "end of stream");
      }
      message.append(chunk, sizeof chunk - stream_.avail_out);
    } while (stream_.avail_out == 0);
    if (stream_.avail_in != 0) return "inflate: input left over";
    return message;
  }

 private:
  z_stream stream_{};
};

}  // namespace tickwire::test
