// Echo: sends a client's messages back to it, compressed where that was agreed on. With it a suite that tests
// WebSocket servers can be pointed at this one (server.echo); a session it is not.
//
// Loop thread.
#pragma once

#include <string>
#include <string_view>

#include "codec/standalone.h"
#include "session/websocket_frame.h"

namespace tickwire {

class Echo {
 public:
  explicit Echo(bool compresses) : compresses_(compresses) {}

  // The frame that answers a message.
  std::string frame(std::string_view message, bool binary) {
    const std::string compressed = compresses_ ? compressor_.compress(message) : std::string();
    const std::string_view payload = compresses_ ? std::string_view(compressed) : message;
    std::string frame;
    append_frame_header(frame, binary ? Opcode::kBinary : Opcode::kText, compresses_, payload.size());
    frame += payload;
    return frame;
  }

 private:
  const bool compresses_;
  Standalone compressor_;
};

}  // namespace tickwire
