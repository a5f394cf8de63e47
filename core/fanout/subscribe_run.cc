#include "fanout/subscribe_run.h"

#include <algorithm>

#include "base/work.h"

namespace tickwire {

SubscribeRun::SubscribeRun(ShardParts& parts, Subscriptions& subscriptions, const SubscribeCommand& command,
                           const SubscribeOptions& options, const Admission::Decisions& decisions)
    : parts_(parts),
      subscriptions_(subscriptions),
      command_(command),
      options_(options),
      decisions_(decisions),
      since_(command.since.begin()) {
  results_.reserve(command.topics.size());
}

bool SubscribeRun::run(Session& session, const Budget& budget) {
  while (results_.size() < command_.topics.size()) {
    if (budget.spent()) return false;
    subscribe(session, results_.size());
  }
  return join(session, budget) && renew(session, budget) && resume_since(session, budget) &&
         begin_with_last(session, budget);
}

void SubscribeRun::subscribe(Session& session, std::size_t nth) {
  Work::count();
  const std::string& topic = command_.topics[nth];
  if (const Result<Grant>& decision = decisions_[nth]; !decision) {
    Work::count(kErrorSteps);
    results_.push_back({topic, {}, decision.error()});
    return;
  }
  results_.push_back(subscriptions_.subscribe(session, topic, options_));
  if (results_.back().error) Work::count(kErrorSteps);
  if (results_.back().error || !is_pattern(topic)) return;
  const Pattern pattern = Pattern::parse(topic).value();
  if (patterns_.find(topic) == nullptr) patterns_.at(pattern) = nth;
  joining_.push_back({nth, parts_.topics.find_pattern(topic)->id});
}

bool SubscribeRun::join(Session& session, const Budget& budget) {
  for (; joined_ < joining_.size(); ++joined_) {
    const auto [nth, pattern_id] = joining_[joined_];
    PatternState* const state = parts_.topics.find_pattern(command_.topics[nth]);
    // It may have ended since, with a grant that was not renewed.
    if (state == nullptr || state->id != pattern_id) continue;
    if (!parts_.topics.join(*state, budget)) return false;
    subscriptions_.joined(session, *state, options_);
  }
  return true;
}

bool SubscribeRun::renew(Session& session, const Budget& budget) {
  if (joining_.empty()) return true;
  if (renewing_.empty()) {
    for (const Joining& joining : joining_) renewing_.push_back(joining.pattern_id);
    std::ranges::sort(renewing_);
    children_ = session.children();
  }
  for (; renewed_ < children_.size(); ++renewed_) {
    if (budget.spent()) return false;
    Work::count();
    subscriptions_.renew_child(session, children_[renewed_], options_, renewing_);
  }
  return true;
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
  patterns_.each_match(topic, [&](std::size_t nth) { first = std::min(first, nth); });
  return first;
}

}  // namespace tickwire
