// DeflatingPeer: a client that sends compressed messages, as zlib makes them.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tickwire::test {

class DeflatingPeer {
 public:
  explicit DeflatingPeer(int window_bits = 15, int level = 6) {
    if (deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::runtime_error("deflateInit2");
    }
  }
  ~DeflatingPeer() { deflateEnd(&stream_); }
  DeflatingPeer(const DeflatingPeer&) = delete;
  DeflatingPeer& operator=(const DeflatingPeer&) = delete;

  // A permessage-deflate payload.
  std::string send(std::string_view message) {
    std::string payload = run(message, Z_SYNC_FLUSH);
    payload.resize(payload.size() - 4);
    return payload;
  }
  // The other way to end a message, RFC 7692 7.2.3.4: a final block, then the start of an empty one. The
  // window must survive it, so the message may still refer back.
  std::string send_final(std::string_view message) {
    std::string payload = run(message, Z_FINISH);
    payload += '\0';
    std::string window(32768, '\0');
    uInt size = 0;
    deflateGetDictionary(&stream_, reinterpret_cast<Bytef*>(window.data()), &size);
    deflateReset(&stream_);
    deflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(window.data()), size);
    return payload;
  }
  void forget() { deflateReset(&stream_); }

 private:
  std::string run(std::string_view message, int flush) {
    std::string out(message.size() + message.size() / 1000 + 64, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, flush);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

  z_stream stream_{};
};

}  // namespace tickwire::test
