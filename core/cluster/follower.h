// Follower: applies the log to the hub, entry by entry. So the seq, the image and the ring of each topic
// follow from the log, and are the same on each node.
//
// Thread: the one that follows the log. Owned by Member.
// Invariant: the hub is where its log is after position(): what was applied of another history shows at the
// first entry, which does not name the one that was applied last.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cluster/entry.h"
#include "cluster/log.h"
#include "cluster/outbox.h"
#include "hub/hub.h"

namespace tickwire::cluster {

// Deliberate faults, to show that the guard that stands against each is needed. Only tests set them.
struct Unguarded {
  bool chain = false;  // an entry is taken without the one before it
};

class Follower {
 public:
  Follower(Hub& hub, Outbox& outbox, Unguarded unguarded = {})
      : hub_(hub), outbox_(outbox), unguarded_(unguarded) {}

  enum class Step : std::uint8_t {
    kDone,
    kWait,  // the entry begins an epoch, which the hub's sinks have yet to reach: the same again, later
    kFork,  // it does not follow: the log went on without what was applied here, or has let go of what was
            // not
  };
  Step follow(const Entry& entry);

  // --- for who loads ----------------------------------------------------------------------------------
  // Begins anew at a place to which the hub was brought.
  void start_at(Position position, std::unordered_map<std::string, std::uint64_t> cuts);
  // Applies the records of those topics of which `covered` says less than the entry's number.
  using Covered = std::unordered_map<std::string_view, std::uint64_t>;
  void apply(const Entry& entry, const Covered& covered);
  void move_to(const Entry& entry);

  [[nodiscard]] const Position& position() const { return position_; }
  // The number of the last entry of which an update of the topic was refused (its image had been too large);
  // 0: none.
  [[nodiscard]] std::uint64_t cut_of(const std::string& topic) const;

 private:
  void apply(const Entry& entry, const Record& record, std::vector<Publisher::Outcome>& outcomes);
  [[nodiscard]] FeedId feed_here(const std::string& node, FeedId feed);

  Hub& hub_;
  Outbox& outbox_;
  const Unguarded unguarded_;
  Position position_;
  std::unordered_map<std::string, std::uint64_t> cuts_;
  std::map<std::pair<std::string, FeedId>, FeedId> feeds_;  // of other nodes
};

}  // namespace tickwire::cluster
