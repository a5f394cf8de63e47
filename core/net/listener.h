// Listener: accepts a loop's clients, who come in by one door, and makes each an HttpConnection.
//
// open() before the loop runs; then the loop thread. Owns the socket. Pauses when the process has no
// descriptors left, for a readable listener that cannot be accepted from would make the loop spin.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "net/door.h"
#include "net/loop_state.h"
#include "net/loop_timer.h"
#include "net/poller.h"

namespace tickwire {

// Then others have their turn.
inline constexpr int kAcceptsPerTurnMax = 64;
inline constexpr int kTlsAcceptsPerTurnMax = 16;  // each costs 20 to 50 us

// A listener says at most this often that descriptors are missing: they may come and go by the second.
inline constexpr std::int64_t kShortageReportUs = 60'000'000;

class Listener final : public Pollee, public LoopTimer {
 public:
  // `entrance.loopback` is found out when it is opened.
  Listener(LoopState& loop, const Entrance& entrance) : loop_(loop), entrance_(entrance) {}
  ~Listener() override { close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // `alone`: the address must be nobody's yet; otherwise it is shared with the loops that are there. kListen.
  Status open(const ListenAddress& address, bool alone);
  // Accepts from `socket`, which it owns from now on, also when it fails. kInternal.
  Status listen_on(int socket);
  void close();
  [[nodiscard]] std::uint16_t port() const { return port_; }

  void on_ready(std::uint32_t events) override;
  // A pause is over.
  void on_due() override;

 private:
  void adopt(int client);
  void pause(int failed);

  LoopState& loop_;
  Entrance entrance_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::int64_t next_report_us_ = 0;  // steady: the earliest time at which a shortage is logged again
};

}  // namespace tickwire
