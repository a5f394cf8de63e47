// What other servers do (zlib_stream.h), and the judge of what is compressed.
#pragma once

#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "zlib_stream.h"

namespace tickwire::bench {

// Ends the program when a payload is not the message: figures of a wrong codec are worth nothing.
class Verifier {
 public:
  Verifier() { inflateInit2(&stream_, -15); }
  ~Verifier() { inflateEnd(&stream_); }
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  void check(std::string payload, const std::string& message) {
    payload.append("\x00\x00\xff\xff", 4);
    std::string text(message.size() + 64, '\0');
    stream_.next_in = bytes_of(payload.data());
    stream_.avail_in = static_cast<uInt>(payload.size());
    stream_.next_out = bytes_of(text.data());
    stream_.avail_out = static_cast<uInt>(text.size());
    const int code = inflate(&stream_, Z_SYNC_FLUSH);
    text.resize(text.size() - stream_.avail_out);
    if (code == Z_OK && text == message) return;
    std::fprintf(stderr, "inflate does not give back %s\n", message.c_str());
    std::exit(1);
  }

 private:
  z_stream stream_{};
};

}  // namespace tickwire::bench
