// SubscribeRun: one subscribe command, done in pieces.
//
//     topics ──> join ──> renew ──> since ──> last ──> (the caller sends the ack) ──> release
//
// topics: each topic and pattern is subscribed, and silent. join: the patterns find the topics that are
// there. renew: what a pattern owes that was subscribed again follows its new options. since, last: topics of
// the patterns that resume, or begin with their last events, get subscriptions of their own. release: what
// was subscribed begins to be sent. Between two pieces the shard turns; what is published meanwhile is owed
// like what any subscription that is behind owes.
//
// Loop thread. The session must live, and run no other command until release() is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fanout/admission.h"
#include "fanout/subscriptions.h"
#include "model/pattern_index.h"
#include "protocol/command.h"

namespace tickwire {

class SubscribeRun {
 public:
  // `command` and `outcome` (whose topics count) outlive it.
  SubscribeRun(ShardParts& parts, Subscriptions& subscriptions, const SubscribeCommand& command,
               const SubscribeOptions& options, const Admission::Outcome& outcome);

  // A piece; true: the results are complete.
  bool run(Session& session, const Budget& budget);
  // One for each topic, in their order.
  [[nodiscard]] std::vector<TopicResult>& results() { return results_; }

 private:
  void subscribe(Session& session, std::size_t nth);
  bool join(Session& session, const Budget& budget);
  bool renew(Session& session, const Budget& budget);
  bool resume_since(Session& session, const Budget& budget);
  bool begin_with_last(Session& session, const Budget& budget);
  // The first of the command's patterns by which the session sees the topic; kNone: none.
  [[nodiscard]] std::size_t pattern_of(std::string_view topic) const;

  static constexpr std::size_t kNone = SIZE_MAX;

  ShardParts& parts_;
  Subscriptions& subscriptions_;
  const SubscribeCommand& command_;
  const SubscribeOptions options_;
  const Admission::Outcome& outcome_;
  std::vector<TopicResult> results_;    // so far
  PatternIndex<std::size_t> patterns_;  // those that were subscribed, and which result is whose
  struct Joining {
    std::uint32_t pattern_id;
    bool snapshot;
  };
  std::vector<Joining> joining_;
  std::size_t joined_ = 0;
  bool is_renewed_ = false;
  std::size_t renewed_ = 0;              // of the session's subscriptions to topics, by place
  std::vector<std::uint32_t> renewing_;  // the ids of the patterns, sorted
  SeqByTopic::const_iterator since_;
  TopicId last_ = 0;
};

}  // namespace tickwire
