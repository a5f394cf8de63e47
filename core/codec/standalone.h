// Standalone: a message compressed by itself, right in any stream whatever its window holds.
//
// One compressor per thread, kept for its tables (about 270 KB): making one costs more than most messages.
// Level 6, since the form is made once and shared by all who need it: joins, bases out of reach, large
// messages, peers that asked for server_no_context_takeover. zlib chooses dynamic codes where they pay, which
// a message with no context mostly does.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;  // zlib's

namespace tickwire {

class Standalone {
 public:
  Standalone();
  // A permessage-deflate payload (RFC 7692 7.2.1) that refers to nothing before its first byte.
  std::string compress(std::string_view message);

 private:
  struct Deleter {
    void operator()(z_stream_s* stream) const;
  };
  std::unique_ptr<z_stream_s, Deleter> stream_;
};

}  // namespace tickwire
