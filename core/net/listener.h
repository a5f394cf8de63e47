// Listener: accepts a loop's clients, who come in by one door, and makes each an HttpConnection.
//
// open() before the loop runs; then the loop thread. Pauses when the process has no descriptors left, for a
// readable listener that cannot be accepted from would make the loop spin.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "net/door.h"
#include "net/loop_state.h"
#include "net/lws_context.h"

namespace tickwire {

inline constexpr int kAcceptsPerTurnMax = 64;  // then others have their turn

class Listener final : public Watcher {
 public:
  Listener(LwsContext& context, LoopState& loop, Door door) : context_(context), loop_(loop), door_(door) {}

  // `alone`: the address must be nobody's yet; otherwise it is shared with the loops that are there. kListen.
  Status open(bool alone);
  // Accepts from `socket`, which it owns from now on, also when it fails. kInternal.
  Status listen_on(int socket);
  void close();
  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Ends a pause that is over; returns the time of its end, or < 0: there is none.
  std::int64_t resume(std::int64_t now_us);
  void on_readable() override;

 private:
  void adopt(int client);
  void pause(int failed);

  LwsContext& context_;
  LoopState& loop_;
  const Door door_;
  lws* watched_ = nullptr;
  int socket_ = -1;  // lws owns it
  std::uint16_t port_ = 0;
  std::int64_t paused_until_us_ = -1;
  bool reported_ = false;  // of this shortage
};

}  // namespace tickwire
