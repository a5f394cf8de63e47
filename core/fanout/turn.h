// Turn: carries what the inbox holds to all sessions: each update is applied to its topic, the deliveries are
// counting-sorted by session, and each session is written to once. Costs what it delivers, however many
// sessions there are. How many messages one write carries
// decides what fan-out costs, so turns are spaced (Shard::run). A turn with more than
// ShardConfig::deliveries_max is made in pieces, which bounds its buffers.
//
// Loop thread. Keeps its buffers between turns; a session costs nothing between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fanout/inbox.h"
#include "fanout/sender.h"
#include "fanout/shard_parts.h"

namespace tickwire {

class Turn {
 public:
  Turn(ShardParts& parts, Sender& sender, Inbox& inbox) : parts_(parts), sender_(sender), inbox_(inbox) {}

  void run();
  // Forgets what a turn that ended with an exception had begun. The next one takes every topic to where the
  // hub is.
  void abandon();

 private:
  struct Delivery {
    std::uint32_t slot;
    SubscriptionIndex index;
    std::uint32_t applied;  // index into applied_
    std::uint32_t step;     // index into steps_, or kNoStep
  };

  static constexpr std::uint32_t kNoStep = UINT32_MAX;

  void apply(const UpdatePtr& update);
  // Those that come before the update at this place of the batch.
  void begin_epochs(std::size_t place);
  void begin_epoch(const std::string& name);
  void skip_ahead();
  // To everyone who wants it; `update`: null where it skips.
  void list_deliveries(const UpdatePtr& update);
  std::uint32_t add_step(PatternState& pattern, const Applied& applied, const UpdatePtr& update);
  void send();
  void sort_by_session();

  ShardParts& parts_;
  Sender& sender_;
  Inbox& inbox_;
  bool abandoned_ = false;
  InboxBatch batch_;
  std::size_t begun_ = 0;  // of its epochs
  std::vector<Applied> applied_;
  std::vector<PatternStep> steps_;
  std::vector<Delivery> deliveries_;
  std::vector<LiveItem> items_;           // deliveries_, sorted by session
  std::vector<std::uint32_t> met_;        // the slots of those sessions, in the order of items_
  std::vector<std::uint32_t> items_end_;  // by slot: where its items end in items_; 0 between turns
};

}  // namespace tickwire
