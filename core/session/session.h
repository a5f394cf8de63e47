// Session: one client: its state, its subscriptions, and the few control messages that wait for its socket.
// It knows no socket but the seam, no topic but its id, and no queue of updates: there is none.
//
// Thread: the loop thread of its shard, which owns it and moves its subscriptions between live and behind.
// Invariants: a subscription that is behind and may be sent is queued: in behind_, which it enters once;
// nothing is written while blocked() or after closing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/limit.h"
#include "base/shares.h"
#include "base/timer_heap.h"
#include "base/token_bucket.h"
#include "base/work.h"
#include "session/client_info.h"
#include "session/framing.h"
#include "session/sent_lately.h"
#include "session/session_state.h"
#include "session/socket.h"
#include "session/subscription.h"
#include "session/topic_lookup.h"

namespace tickwire {

struct SessionConfig {
  int heartbeat_s = 15;                                  // in-band, when nothing else was sent
  std::size_t write_bytes_max = std::size_t{64} << 10U;  // of one write; a single larger message may pass it
  std::size_t subscriptions_max = 100'000;
  std::size_t patterns_max = 100;  // of those; each update of a topic is held against all that match it
  std::size_t commands_pending_max = 16;
};

// What a session may do so often a second: see fanout/command_rates.h.
enum class Rated : std::uint8_t { kCommand, kList, kPublish };

class Session : public Timer {  // which is its shard's
 public:
  Session(std::uint32_t slot, Socket& socket, ClientInfo client, const Framing& framing)
      : client(std::move(client)), slot(slot), framing(framing), socket_(socket) {}
  ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ClientInfo client;
  const std::uint32_t slot;  // its place in the shard
  const Framing framing;
  StreamPosition window;  // of the compressed stream to the client

  // --- state ------------------------------------------------------------------------------------------
  [[nodiscard]] SessionState state() const { return state_; }
  // Also writes what the outbox holds. `limit`: the one that is in the way.
  void close(CloseCode code, std::string_view reason, std::optional<Limit> limit = {});
  // The connection is gone, and the socket with it; what its subscriptions hold has yet to be given back.
  void on_gone();
  [[nodiscard]] bool writable() const { return state_ != SessionState::kClosing && !blocked_; }
  [[nodiscard]] bool blocked() const { return blocked_; }
  void unblock() { blocked_ = false; }
  // "open blocked subscriptions=3 behind=1": for logs, failing tests and debuggers.
  [[nodiscard]] std::string describe() const;

  // --- writing ----------------------------------------------------------------------------------------
  // A control message, as encode.h made it; it leaves with the next write, in the session's format.
  void send(std::string_view text);
  // As send(), with the payload of a message that is in the session's format.
  void send_payload(std::string_view payload);
  // That it is still there, and that its client should go and when to come back; as its carrier says it.
  void send_heartbeat(std::int64_t ts);
  void send_drain(int reconnect_after_ms);
  [[nodiscard]] bool has_outbox() const { return !outbox_.empty(); }
  [[nodiscard]] std::size_t outbox_bytes() const { return outbox_.size(); }
  // The waiting control messages, framed.
  std::string take_outbox();
  // Hands one write to the socket and keeps what it said. Returns false when the session is closing.
  bool write(std::string_view frames);
  // Reads no more while its answers cannot leave, or while `hold` says so.
  void hold_reading(bool hold);

  // --- subscriptions ----------------------------------------------------------------------------------
  // What the client asked for, patterns among it.
  [[nodiscard]] std::size_t subscription_count() const { return asked_; }
  // Patterns that are ending are not counted here, and find_pattern() does not find them.
  [[nodiscard]] std::size_t pattern_count() const { return pattern_count_ - ending_count_; }
  [[nodiscard]] std::size_t ending_count() const { return ending_count_; }
  [[nodiscard]] Subscription* find(std::uint32_t topic_id, SubscriptionIndex* index = nullptr);
  [[nodiscard]] PatternSubscription* find_pattern(std::uint32_t pattern_id,
                                                  SubscriptionIndex* index = nullptr);
  SubscriptionIndex add(const Subscription& subscription);
  SubscriptionIndex add_pattern(PatternSubscription subscription);
  // The pattern is ending, until remove().
  void begin_end(SubscriptionIndex pattern);
  void remove(SubscriptionIndex index);
  // One to take down, while there is any.
  [[nodiscard]] std::optional<SubscriptionIndex> any_pattern() const;
  [[nodiscard]] std::optional<SubscriptionIndex> any_exact();
  // A child becomes one that the client asked for, and the other way round.
  void adopt_child(Subscription& subscription);
  void make_child(SubscriptionIndex index);
  [[nodiscard]] bool has_children() const { return child_count_ > 0; }
  // The first child at `place` or after it, which is moved past it; nothing: the budget is spent, or there is
  // none, and `place` is the size of exact().
  std::optional<SubscriptionIndex> next_child(std::size_t& place, const Budget& budget) const;

  std::vector<Subscription>& exact() { return exact_; }
  std::vector<PatternSubscription>& patterns() { return patterns_; }
  [[nodiscard]] bool has_exact() const { return exact_count_ > 0; }
  // A topic may reach it by more than one subscription.
  [[nodiscard]] bool overlapping() const {
    return pattern_count_ > 1 || (pattern_count_ > 0 && exact_count_ > 0);
  }

  // Behind, and to be sent as soon as there is room.
  void owe(SubscriptionIndex index);
  // Takes its place in behind() away; false: it has none any more, or lost it to a later one.
  bool take_queued(SubscriptionIndex index);
  // It keeps its place, since not all was sent.
  void queue_again(SubscriptionIndex index);
  std::vector<SubscriptionIndex>& behind() { return behind_; }
  // How many subscriptions in behind() are behind still.
  [[nodiscard]] std::size_t behind_count() const;
  // Silent from now on, until its place in held() is taken.
  void hold(SubscriptionIndex index);
  std::vector<SubscriptionIndex>& held() { return held_; }

  std::int64_t opened_us = 0;
  std::int64_t behind_since_us = 0;  // 0: it is not
  std::int64_t last_write_us = 0;
  std::int64_t cursor_us =
      0;  // of a stream of events: when it last said where its client is, behind messages
  std::optional<std::uint64_t> cursor_messages;  // after how many messages it did; nothing: it never did
  bool cursor_owed = false;                      // it is due, and has to wait (Sender::send_cursors)
  bool in_dues = false;                          // see Dues
  bool authenticating = false;                   // its token is being looked at
  bool tidying = false;                          // a job looks for children that are over (Overlap::tidy)
  bool tidy_again = false;                       // and is to look once more
  std::uint64_t tidies_begun = 0;                // looks at all of them
  std::uint64_t tidies_done = 0;                 // the same
  bool working = false;                          // a command of it is done in pieces, or by a worker
  std::uint32_t epoch_no = 0;                    // the shard's, of which its client was told
  std::uint64_t steps = 0;                       // that its commands took in this run of the shard
  std::uint64_t steps_run = 0;                   // which run that is
  std::list<std::string> parked;                 // commands that wait for one before them
  Share parked_share;                            // their bytes
  Share outbox_share;                       // the bytes of control messages that its socket does not take
  ReasonCounter* limited = nullptr;         // its shard's, by Limit
  std::array<TokenBucket, 3> rates{};       // by Rated
  std::unique_ptr<SentLately> sent_lately;  // null: nothing
  std::uint64_t conflated = 0;
  std::uint64_t gaps = 0;
  std::uint64_t messages = 0;  // without control messages
  std::uint64_t bytes = 0;

 private:
  void update_reading();

  Socket& socket_;
  SessionState state_ = SessionState::kOpen;
  bool blocked_ = false;
  bool hold_ = false;
  bool reading_ = true;
  std::string outbox_;
  std::vector<Subscription> exact_;
  std::vector<PatternSubscription> patterns_;
  std::vector<SubscriptionIndex> free_;
  TopicLookup lookup_;
  std::size_t child_count_ = 0;
  std::size_t exact_count_ = 0;
  std::size_t pattern_count_ = 0;
  std::size_t ending_count_ = 0;  // of those
  std::size_t asked_ = 0;
  std::uint32_t next_order_ = 0;
  std::vector<SubscriptionIndex> behind_;
  std::vector<SubscriptionIndex> held_;
};

}  // namespace tickwire
