// Socket: the seam through which a session writes. net/ implements it over libwebsockets, bridge/ in memory,
// tests with one that blocks and drops at will.
//
// Only on the loop thread of the session's shard. The session never owns it; it outlives the session.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/codes.h"

namespace tickwire {

enum class WriteResult : std::uint8_t {
  kSent,     // taken, and more may follow
  kBlocked,  // taken, but nothing more until Shard::on_writable
  kClosed,   // the peer is gone; Shard::on_closed follows
};

class Socket {
 public:
  virtual ~Socket() = default;
  // Whole messages in the session's Framing, ready for the wire. Takes all of them or closes.
  // Never called while blocked nor after close().
  virtual WriteResult write(std::string_view messages) = 0;
  // Begins the close; what was written before goes out first, then `last_messages`, for which there may have
  // been no room. Shard::on_closed follows later.
  virtual void close(CloseCode code, std::string_view reason, std::string_view last_messages) = 0;
  // False: hand in no more messages until true (the answers to the last ones could not be sent yet).
  virtual void set_reading(bool on) = 0;
};

}  // namespace tickwire
