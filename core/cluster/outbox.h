// Outbox: the Publisher of a node in a cluster: what is published here waits in it until it is in the log,
// and `done` is called once it has come back from there and the hub has applied it.
//
//     publish() ──> waiting ──next()──> sent ──appended()──> in the log ──applied()──> done
//                                        ^                      │
//                                        └───── in_log(b) ──────┘   said hello: only up to b is there
//
// Batches are numbered, and the log takes each number once: so what the engine lost before this node saw it,
// and what nobody knows of, is simply sent again. Only where the node is no member any more (set_node()) may
// what is on its way have happened or not, and `done` says unavailable.
//
// Any thread publishes; next(), appended(), in_log() and set_node() on the thread that writes the log,
// applied() on the one that follows it. `done` is called without a lock held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cluster/currency.h"
#include "cluster/entry.h"
#include "hub/hub.h"
#include "hub/publisher.h"

namespace tickwire::cluster {

inline constexpr std::size_t kOutboxBytesMaxDefault = std::size_t{64} << 20U;

class Outbox final : public Publisher {
 public:
  // `wake` is called when something waits; any thread, it must not wait.
  Outbox(Hub& hub, Currency& currency, std::function<void()> wake,
         std::size_t bytes_max = kOutboxBytesMaxDefault)
      : hub_(hub), currency_(currency), wake_(std::move(wake)), bytes_max_(bytes_max) {}

  // --- Publisher --------------------------------------------------------------------------------------
  // kTooMany: the outbox is full; kUnavailable: the log cannot be reached.
  Outcome publish(std::string_view topic, ImageView data, FeedId feed, const Done& done) override;
  using Publisher::publish;
  Status publish_rows(std::span<const std::string_view> topics, Payloads& payloads, FeedId feed,
                      std::size_t& taken) override;
  Status set_status(std::string_view topic, TopicStatus status) override;
  void feed_down(FeedId feed) override;
  [[nodiscard]] bool is_shared() const override { return true; }
  void when_current(std::function<void(bool current)> then) override;

  // --- who writes the log -----------------------------------------------------------------------------
  struct Parcel {
    std::uint64_t no = 0;
    std::string records;
  };
  // The first batch that is not in the log; the same until appended(). Nothing: there is none.
  std::optional<Parcel> next();
  void appended(std::uint64_t no);
  // After hello: the log has the batches up to `no` and no other.
  void in_log(std::uint64_t no);
  // This node is another one from now on, whose batches are numbered from 1 on: nobody knows of what was
  // sent.
  void set_node(const std::string& node);
  // The node is to end: what waits is refused. How much that was.
  std::size_t drop_waiting();
  // While false, publish() refuses. What waits, waits on.
  void set_reachable(bool reachable);

  // --- who follows the log ----------------------------------------------------------------------------
  [[nodiscard]] bool is_own(const std::string& node) const;
  // What became of the records of a batch of a node; without outcomes: it and those before it are applied, by
  // whichever way. A batch of another node is ignored.
  void applied(const std::string& node, std::uint64_t no, const std::vector<Outcome>& outcomes);
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Waiting {
    std::string record;  // as append_record writes it, behind a version byte
    Done done;
  };
  struct Sent {
    std::uint64_t no = 0;
    std::string records;
    std::vector<Done> dones;
    bool in_log = false;
  };
  // Takes it, or says why not.
  Status put(const Record& record, const Done& done);
  void close_batch() REQUIRES(mutex_);

  Hub& hub_;
  Currency& currency_;
  const std::function<void()> wake_;
  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  std::deque<Waiting> waiting_ GUARDED_BY(mutex_);
  std::deque<Sent> sent_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;  // of both
  std::uint64_t last_no_ GUARDED_BY(mutex_) = 0;
  bool reachable_ GUARDED_BY(mutex_) = true;
  std::string node_ GUARDED_BY(mutex_);
};

}  // namespace tickwire::cluster
