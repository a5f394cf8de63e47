#include "fanout/subscribe_run.h"

#include <algorithm>

#include "base/work.h"

namespace tickwire {

SubscribeRun::SubscribeRun(ShardParts& parts, Subscriptions& subscriptions, const SubscribeCommand& command,
                           const SubscribeOptions& options, const Admission::Outcome& outcome)
    : parts_(parts),
      subscriptions_(subscriptions),
      command_(command),
      options_(options),
      outcome_(outcome),
      since_(command.since.begin()) {
  results_.reserve(outcome.topics.size());
}

bool SubscribeRun::run(Session& session, const Budget& budget) {
  while (results_.size() < outcome_.topics.size()) {
    if (budget.spent()) return false;
    subscribe(session, results_.size());
  }
  return join(session, budget) && renew(session, budget) && resume_since(session, budget) &&
         begin_with_last(session, budget);
}

void SubscribeRun::subscribe(Session& session, std::size_t nth) {
  Work::count();
  const std::string& topic = outcome_.topics[nth];
  if (const Result<Grant>& decision = outcome_.decisions[nth]; !decision) {
    Work::count(kErrorSteps);
    // The last answer for a topic counts, so a denial ends what an earlier one allowed, in this command, too.
    if (decision.error().code == ErrorCode::kDenied && subscriptions_.find(session, topic))
      subscriptions_.unsubscribe(session, topic);
    results_.push_back({topic, {}, decision.error()});
    return;
  }
  const FilterPtr& filter = outcome_.decisions[nth]->filter;
  SubscribeOptions options = options_;
  // Of another part the client is owed more than what comes from now on.
  options.snapshot = options.snapshot || subscriptions_.has_other_part(session, topic, filter);
  results_.push_back(subscriptions_.subscribe(session, topic, filter, options));
  if (results_.back().error) Work::count(kErrorSteps);
  if (results_.back().error || !is_pattern(topic)) return;
  const Pattern pattern = Pattern::parse(topic).value();
  if (patterns_.find(topic) == nullptr) patterns_.at(pattern) = nth;
  const SubscriptionIndex index = subscriptions_.find(session, topic).value();
  joining_.push_back({session.patterns()[index & ~kPatternBit].pattern_id, options.snapshot});
}

bool SubscribeRun::join(Session& session, const Budget& budget) {
  for (; joined_ < joining_.size(); ++joined_) {
    // It may have ended since, with a grant that was not renewed.
    const auto [pattern_id, snapshot] = joining_[joined_];
    if (session.find_pattern(pattern_id) == nullptr) continue;
    PatternState& state = parts_.topics.pattern(pattern_id);
    if (!parts_.topics.join(state, budget)) return false;
    if (!snapshot) subscriptions_.joined(session, state, options_);
  }
  return true;
}

bool SubscribeRun::renew(Session& session, const Budget& budget) {
  if (joining_.empty() || is_renewed_) return true;
  if (renewing_.empty()) {
    for (const Joining& joining : joining_) renewing_.push_back(joining.pattern_id);
    std::ranges::sort(renewing_);
  }
  while (const std::optional<SubscriptionIndex> child = session.next_child(renewed_, budget)) {
    Work::count();
    subscriptions_.renew_child(session, *child, options_, renewing_);
  }
  is_renewed_ = renewed_ == session.exact().size();  // what comes after that is of this command
  return is_renewed_;
}

bool SubscribeRun::resume_since(Session& session, const Budget& budget) {
  if (options_.since == nullptr || patterns_.empty()) return true;
  for (; since_ != command_.since.end(); ++since_) {
    if (budget.spent()) return false;
    Work::count(2);
    const std::size_t nth = pattern_of(since_->first);
    TopicState* const state = nth == kNone ? nullptr : parts_.topics.expect(since_->first);
    if (state != nullptr) subscriptions_.resume_topic(session, *state, options_, results_[nth]);
  }
  return true;
}

bool SubscribeRun::begin_with_last(Session& session, const Budget& budget) {
  if (options_.last == 0 || patterns_.empty()) return true;
  for (; last_ < parts_.topics.id_end(); ++last_) {
    if (budget.spent()) return false;
    TopicState* const state = parts_.topics.find(last_);
    Work::count();
    if (state == nullptr || !state->last || !state->is_event()) continue;
    const std::size_t nth = pattern_of(state->topic->name);
    if (nth != kNone) subscriptions_.resume_topic(session, *state, options_, results_[nth]);
  }
  return true;
}

std::size_t SubscribeRun::pattern_of(std::string_view topic) const {
  if (!check_topic(topic)) return kNone;
  std::size_t first = kNone;
  patterns_.each_match(topic, [&](std::size_t nth) {
    if (lets(outcome_.decisions[nth]->filter, topic)) first = std::min(first, nth);
  });
  return first;
}

}  // namespace tickwire
