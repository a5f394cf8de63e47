// permessage-deflate with context takeover as servers do it today: a zlib stream for each connection.
#pragma once

#include <zlib.h>

#include <array>
#include <string>
#include <string_view>

#include "protocol/encode.h"

namespace tickwire::bench {

class ZlibStream {
 public:
  explicit ZlibStream(int level) { deflateInit2(&stream_, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY); }
  ~ZlibStream() { deflateEnd(&stream_); }
  ZlibStream(const ZlibStream&) = delete;
  ZlibStream& operator=(const ZlibStream&) = delete;

  // Appends the compressed message as a whole frame.
  void append(std::string_view message, std::string& out) {
    std::array<char, 4096> payload;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(payload.data());
    stream_.avail_out = payload.size();
    deflate(&stream_, Z_SYNC_FLUSH);
    const std::size_t size = payload.size() - stream_.avail_out - 4;
    append_frame_header(out, Opcode::kText, true, size);
    out.append(payload.data(), size);
  }

 private:
  z_stream stream_{};
};

}  // namespace tickwire::bench
