// EventStream: one client of GET /sse: the Socket to which its session writes the same messages as to a
// WebSocket, as events. HttpConnection read the request for it, and hands on the stream.
//
//   open ──> closing ──> gone     `closing`: the last event is written, and the client's end is waited for
//     └────────────────> gone     the client has left, or is hung up
//
// The answer ends with its connection, so it needs no length. The client says nothing more; what it sends all
// the same is thrown away. One that is silent for good is found by the kernel, which gives up on what it does
// not acknowledge (TCP_USER_TIMEOUT).
//
// Loop thread. Owns itself: it deletes itself when gone. In loop.streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/shares.h"
#include "net/loop_state.h"
#include "net/stream.h"
#include "net/unread.h"
#include "session/client_info.h"
#include "session/socket.h"

namespace tickwire {

// What HttpConnection found out about a client of /sse.
struct EventOpening {
  ClientInfo client;
  std::string command;  // what it subscribes to
  Share seat;           // of the plant's connections
};

class EventStream final : public Socket, public Pollee, public LoopTimer {
 public:
  static void open(LoopState& loop, Stream stream, EventOpening opening);
  ~EventStream() override;
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // --- Socket -----------------------------------------------------------------------------------------
  WriteResult write(std::string_view events) override;
  void close(CloseCode code, std::string_view reason, std::string_view last_events) override;
  void set_reading(bool /*on*/) override {}

  // --- called by the loop -----------------------------------------------------------------------------
  void on_ready(std::uint32_t events) override;
  void on_due() override { delete this; }
  void on_fault() override { hang_up(); }
  // The server stops.
  void end();

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kGone };

  EventStream(LoopState& loop, Stream stream, EventOpening& opening);
  void begin(EventOpening opening);
  void serve(std::uint32_t events);
  // False: the client has left.
  bool throw_away();
  bool send(std::string_view bytes);
  void on_flushed();
  // Not at once, since the session may be calling.
  void hang_up();

  LoopState& loop_;
  Stream stream_;
  Session* session_ = nullptr;
  const Share seat_;  // of the plant's connections
  Unread unread_;
  std::size_t thrown_away_bytes_ = 0;
  State state_ = State::kOpen;
  bool blocked_ = false;
};

}  // namespace tickwire
