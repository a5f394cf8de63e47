// Unread: what is written to a client that it has not taken yet, as its part of the memory for such bytes
// (limits.unread_mb).
//
// Loop thread. One per connection; a member of whoever owns the Stream.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/shares.h"
#include "net/loop_state.h"
#include "net/stream.h"

namespace tickwire {

class Unread {
 public:
  Unread(LoopState& loop, PeerAddress address) : loop_(loop), share_(loop.unread_bytes, address) {}

  // False: the stream is broken, or may hold no more, which is counted. What is begun cannot be taken back,
  // so the client is to be hung up.
  bool write(Stream& stream, std::string_view bytes) {
    const std::size_t held = stream.holds_part() ? share_.held() : 0;
    if (!stream.write(bytes)) return false;
    const auto limit = share_.resize(stream.holds_part() ? held + bytes.size() : 0);
    if (limit) loop_.count(*limit);
    return !limit;
  }
  // The stream holds nothing any more.
  void release() { share_.release(); }

 private:
  LoopState& loop_;
  Share share_;
};

}  // namespace tickwire
