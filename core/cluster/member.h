// Member: one node's part in a cluster. It follows the log and writes to it, and is what two threads drive:
// one calls follow() again and again, the other write(); each has a connection of its own to the engine.
//
//     loading ──all is here──> reaching ──the shards have the epoch──> following
//        ^                                                                │ the log goes on without what
//        └── has_left() ── leaving: sessions are told to come back <──────┘ was applied here, or is gone
//
// While it is not following, the hub is not serving. A node whose history is not the cluster's any more does
// not mend what its clients hold: they come back, here or elsewhere, and go on from what both histories share
// by the rule of resuming. That is one road for all that can go wrong.
//
// Everything else is for any thread. Owns outbox, follower and checkpointer; what is passed in outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "cluster/checkpointer.h"
#include "cluster/currency.h"
#include "cluster/follower.h"
#include "cluster/loader.h"
#include "cluster/log.h"
#include "cluster/outbox.h"
#include "hub/hub.h"

namespace tickwire::cluster {

// Where the hub's clients are.
class Plant {
 public:
  virtual ~Plant() = default;
  // Tells all sessions to come back, and ends them. The hub is not serving.
  virtual void leave() = 0;
  // Nobody is there, and nothing is left of them.
  virtual bool has_left() = 0;
};

struct MemberRules {
  std::int64_t loss_us = 3'000'000;  // without an answer for so long, the node is cut off
  std::int64_t seed_wait_us =
      2'000'000;  // a node without topics leaves an empty engine to others for so long
  std::size_t outbox_bytes_max = kOutboxBytesMaxDefault;
  CheckpointRules checkpoint = {};
  Unguarded unguarded = {};
};

class Member {
 public:
  enum class State : std::uint8_t { kLoading, kReaching, kFollowing, kLeaving };

  // `wake` is called when write() has something to do; any thread.
  Member(Hub& hub, const Clock& clock, Names& names, Plant& plant, std::function<void()> wake,
         const MemberRules& rules);

  // Each does what there is to do now, and returns whether it did something: else it may rest a while.
  bool follow(Log& log, Table& table);
  bool write(Log& log, Table& table);

  [[nodiscard]] Outbox& outbox() { return outbox_; }
  [[nodiscard]] const Outbox& outbox() const { return outbox_; }
  [[nodiscard]] State state() const { return state_; }
  // The log could be read within loss_us.
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  [[nodiscard]] std::uint64_t position() const { return at_; }
  // The position that the log has reached, as far as this node knows.
  [[nodiscard]] std::uint64_t head() const { return std::max<std::uint64_t>(head_, at_); }
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  [[nodiscard]] std::uint64_t seeds() const { return seeds_; }
  [[nodiscard]] std::uint64_t fenced() const { return fenced_; }
  [[nodiscard]] std::string node() const EXCLUDES(mutex_);

 private:
  // --- the thread that follows
  bool load(Log& log, Table& table);
  bool take_entries(Log& log, Table& table);
  bool look_around(Log& log, Table& table);
  bool seed(Table& table);
  void leave();
  void heard(bool answered);
  void set_state(State state);
  // --- the thread that writes
  bool greet(Log& log);
  bool append(Log& log, const Outbox::Parcel& parcel);
  bool answer_askers(Log& log);
  void wrote(bool answered);
  void rename();

  Hub& hub_;
  const Clock& clock_;
  Names& names_;
  Plant& plant_;
  const MemberRules rules_;
  Currency currency_;
  Outbox outbox_;
  Checkpointer checkpointer_;
  std::atomic<State> state_ = State::kLoading;
  std::atomic<bool> cut_off_ = false;
  std::atomic<bool> writes_ = true;  // the log was written, or nothing was to be, within loss_us
  std::atomic<std::uint64_t> at_ = 0;
  std::atomic<std::uint64_t> head_ = 0;
  std::atomic<std::uint64_t> reloads_ = 0;
  std::atomic<std::uint64_t> seeds_ = 0;
  std::atomic<std::uint64_t> fenced_ = 0;
  // The log began an epoch, of which the thread that writes may not know.
  std::atomic<bool> greet_again_ = false;

  // --- the thread that follows
  Follower follower_;
  std::vector<Entry> taken_;  // from the log, from next_ on yet to be applied
  std::size_t next_ = 0;
  bool has_topics_ = false;          // it has loaded once
  std::int64_t heard_us_;            // when the engine answered last
  std::int64_t empty_since_us_ = 0;  // 0: the engine is not

  // --- the thread that writes
  bool greeted_ = false;
  bool joins_ = true;
  std::string epoch_;  // that the engine is in
  std::int64_t wrote_us_;

  mutable Mutex mutex_;
  std::string node_ GUARDED_BY(mutex_);
};

}  // namespace tickwire::cluster
