// permessage-deflate with context takeover as servers do it today: a zlib stream for each connection.
//
// Messages are of less than a megabyte. One thread: all streams share what they compress into.
#pragma once

#include <zlib.h>

#include <array>
#include <string_view>

namespace tickwire::bench {

// zlib does not change what it reads, but its interface has no const.
inline Bytef* bytes_of(const char* data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

class ZlibStream {
 public:
  explicit ZlibStream(int level) { deflateInit2(&stream_, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY); }
  ~ZlibStream() { deflateEnd(&stream_); }
  ZlibStream(const ZlibStream&) = delete;
  ZlibStream& operator=(const ZlibStream&) = delete;

  // The payload of the message's frame (RFC 7692 section 7.2.1), valid until the next one is made.
  std::string_view compress(std::string_view message) {
    stream_.next_in = bytes_of(message.data());
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = bytes_of(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    deflate(&stream_, Z_SYNC_FLUSH);
    return std::string_view(out_.data(), out_.size() - stream_.avail_out - 4);
  }

 private:
  z_stream stream_{};
  inline static std::array<char, 1 << 20> out_;
};

}  // namespace tickwire::bench
