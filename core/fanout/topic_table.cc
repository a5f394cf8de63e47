#include "fanout/topic_table.h"

#include <algorithm>
#include <cassert>

#include "base/grow.h"
#include "base/work.h"

namespace tickwire {
namespace {

constexpr std::size_t kPartsAStep = 16;

// Where it is, or where it would come.
template <typename State>
auto find_membership(State& topic, std::uint32_t pattern_id) {
  const auto id = [](const Membership& of) { return of.pattern->id; };
  return std::ranges::lower_bound(topic.patterns, pattern_id, {}, id);
}

}  // namespace

bool TopicState::is_of(std::uint32_t pattern_id) const {
  const auto found = find_membership(*this, pattern_id);
  return found != patterns.end() && found->pattern->id == pattern_id;
}

void TopicState::keep_paced_base(std::size_t most) {
  const auto known =
      std::find_if(paced.begin(), paced.end(), [&](const PacedBase& base) { return base.update == last; });
  if (known != paced.end()) return;
  if (paced.size() == most) paced.erase(paced.begin());
  paced.push_back({last, {}});
}

Result<TopicState*> TopicTable::want(std::string_view name) {
  const TopicPtr topic = hub_.find_topic(name);
  TopicState* state = topic == nullptr ? nullptr : find(topic->id);
  if (state == nullptr || state->topic != topic.get() || state->wants == 0) {
    Result<Interest> interest = hub_.add_interest(sink_, name);
    if (!interest) return interest.error();
    state = find(interest->topic->id);
    if (state == nullptr)
      state = &add_state(*interest->topic, std::move(interest->update), interest->delivered);
  }
  ++state->wants;
  return state;
}

TopicState* TopicTable::expect(std::string_view name) {
  const TopicPtr topic = hub_.find_topic(name);
  if (topic == nullptr || !topic->last()) return nullptr;  // one that has an update stays
  TopicState* known = find(topic->id);
  return known != nullptr ? known : &add_state(*topic, nullptr);
}

const Topic* TopicTable::find_topic(std::string_view name) const {
  const TopicPtr topic = hub_.find_topic(name);
  return topic != nullptr && find(topic->id) != nullptr ? topic.get() : nullptr;  // wanted, so it stays
}

SubscriptionIndex TopicTable::add_subscription(Session& session, TopicState& state,
                                               const Subscription& subscription) {
  const SubscriptionIndex index = session.add(subscription);
  make_room(state.subscribers);
  state.subscribers.push_back({session.slot, index});
  return index;
}

void TopicTable::remove_subscription(Session& session, TopicState& state, SubscriptionIndex index) {
  const auto found =
      std::find_if(state.subscribers.begin(), state.subscribers.end(),
                   [&](const SubscriberRef& ref) { return ref.slot == session.slot && ref.index == index; });
  assert(found != state.subscribers.end());
  Work::count(1 + static_cast<std::uint64_t>(found - state.subscribers.begin()) / 64);
  *found = state.subscribers.back();
  state.subscribers.pop_back();
  session.remove(index);
}

void TopicTable::unwant(TopicState& state) {
  if (--state.wants > 0) return;
  const bool keep = !state.subscribers.empty() || !state.patterns.empty();
  Topic& topic = *state.topic;
  if (!keep || (!state.last && state.subscribers.empty())) drop(state);
  hub_.drop_interest(sink_, topic, keep);
}

PatternState& TopicTable::want_pattern(const Pattern& pattern, const FilterPtr& filter) {
  if (PatternState* known = find_pattern(pattern.text(), filter)) return *known;
  const std::uint32_t id = next_pattern_id_++;
  auto added = std::make_unique<PatternState>(PatternState{pattern, filter, id, {}, {}, {}, false, {}});
  pattern_index_.at(pattern).push_back(added.get());
  hub_.add_pattern_interest(sink_, pattern, filter);
  return *patterns_.emplace(id, std::move(added)).first->second;
}

bool TopicTable::join(PatternState& state, const Budget& budget) {
  std::vector<Interest> found;
  while (!state.joined && !budget.spent()) {
    found.clear();
    state.joined = hub_.join_topics(sink_, state.pattern, state.filter, state.joined_to, found);
    for (Interest& interest : found) {
      Work::count();
      TopicState* known = find(interest.topic->id);
      if (known != nullptr) {
        if (!known->is_of(state.id)) add_to(*known, state);
      } else if (interest.update && !interest.delivered) {
        add_state(*interest.topic, std::move(interest.update), false);
      }
    }
  }
  return state.joined;
}

PatternState* TopicTable::find_pattern(std::string_view text, const FilterPtr& filter) {
  const Parts* const parts = pattern_index_.find(text);
  if (parts == nullptr) return nullptr;
  Work::count(parts->size() / kPartsAStep);
  const auto found =
      std::ranges::find_if(*parts, [&](const PatternState* part) { return same(part->filter, filter); });
  return found == parts->end() ? nullptr : *found;
}

Status TopicTable::room_for_part(std::string_view text) {
  const Parts* const parts = pattern_index_.find(text);
  if (parts == nullptr || parts->size() < kPatternPartsMax) return ok_status();
  return Error{ErrorCode::kTooMany,
               "topics: " + std::to_string(kPatternPartsMax) + " different parts of " + std::string(text) +
                   " are subscribed to, that is the limit; subscribe to patterns that you may see all of",
               "", Limit::kPatternParts};
}

bool TopicTable::unwant_pattern(PatternState& state) {
  if (!state.subscribers.empty()) return false;
  Parts& parts = *pattern_index_.find(state.pattern.text());
  std::erase(parts, &state);
  const bool last = parts.empty();
  if (last) pattern_index_.erase(state.pattern);
  hub_.drop_pattern_interest(sink_, state.pattern, state.filter, last);
  return true;
}

bool TopicTable::leave(PatternState& state, const Budget& budget) {
  while (!state.topics.empty()) {
    if (budget.spent()) return false;
    Work::count();
    TopicState& topic = *state.topics.back();
    state.topics.pop_back();
    topic.patterns.erase(find_membership(topic, state.id));
    drop_if_unwanted(topic);
  }
  patterns_.erase(state.id);
  return true;
}

TopicState* TopicTable::apply(const UpdatePtr& update) {
  Topic& topic = update->topic();
  TopicState* state = find(topic.id);
  if (state == nullptr) {
    // A topic that is not delivered here any more left this update behind: the next ones may never come.
    if (!topic.delivers_to(sink_)) return nullptr;
    state = &add_state(topic, nullptr);
    if (state->patterns.empty()) {
      drop_if_unwanted(*state);
      return nullptr;
    }
  }
  // What was in the inbox when interest was registered is already part of that moment's last update.
  if (state->last && update->revision() <= state->last->revision()) return nullptr;
  assert(!state->last || update->seq() == state->seq() + (update->status_only() ? 0 : 1));
  state->last = update;
  if (!update->status_only()) state->recent = {update, std::move(state->recent[0])};
  log(*state);
  return state;
}

void TopicTable::expect_all() {
  std::string after;
  while (true) {
    const std::vector<TopicPtr> run = hub_.topics_after(after);
    if (run.empty()) return;
    for (const TopicPtr& topic : run) {
      if (find(topic->id) != nullptr || !topic->last() || !topic->delivers_to(sink_)) continue;
      bool wanted = false;
      each_pattern_of(topic->name, [&wanted](const PatternState*) { wanted = true; });
      if (wanted) {
        add_state(*topic, nullptr);
      } else {
        // Its pattern has left meanwhile, or hides it. The next one takes what is delivered for what the
        // inbox holds.
        Hub::stop_delivering(sink_, *topic);
      }
    }
  }
}

std::optional<TopicTable::Skip> TopicTable::skip_ahead(TopicId& place) {
  while (place < states_.size()) {
    TopicState* state = states_[place++].get();
    UpdatePtr newest = state != nullptr ? state->topic->last() : nullptr;
    if (!newest || (state->last && newest->revision() <= state->last->revision())) continue;
    const Skip skip{state, state->seq()};
    state->recent = {};
    if (!newest->status_only()) state->recent[0] = newest;
    state->last = std::move(newest);
    log(*state);
    return skip;
  }
  return std::nullopt;
}

TopicState* TopicTable::next_after(std::uint64_t apply_no) {
  if (++walked_ % 4 == 0) Work::count();
  const std::optional<ChangeLog::Entry> next = changes_.first_after(apply_no);
  return next ? &state(next->topic_id) : nullptr;
}

void TopicTable::add_to(TopicState& topic, PatternState& pattern) {
  const auto place = static_cast<std::uint32_t>(pattern.topics.size());
  topic.patterns.insert(find_membership(topic, pattern.id), {&pattern, place});
  make_room(pattern.topics);
  pattern.topics.push_back(&topic);
}

void TopicTable::take_out(const Membership& of) {
  std::vector<TopicState*>& topics = of.pattern->topics;
  TopicState* const last = topics.back();
  topics[of.place] = last;
  find_membership(*last, of.pattern->id)->place = of.place;
  topics.pop_back();
}

TopicState& TopicTable::add_state(Topic& topic, UpdatePtr last, bool delivered) {
  Work::count(2);
  if (topic.id >= states_.size()) states_.resize(std::max<std::size_t>(topic.id + 1, states_.size() * 2));
  states_[topic.id] = std::make_unique<TopicState>();
  TopicState& state = *states_[topic.id];
  state.topic = &topic;
  each_pattern_of(topic.name, [&](PatternState* pattern) { add_to(state, *pattern); });
  // Where a pattern has been matching, all updates are still in the inbox, and its subscribers are owed each.
  if (last && (!delivered || state.patterns.empty())) {
    if (!last->status_only()) state.recent[0] = last;
    state.last = std::move(last);
    log(state);
  }
  return state;
}

void TopicTable::drop_if_unwanted(TopicState& state) {
  if (!state.subscribers.empty() || !state.patterns.empty()) return;
  Work::count(2);
  Hub::stop_delivering(sink_, *state.topic);
  drop(state);
}

void TopicTable::drop(TopicState& state) {
  changes_.remove(state.apply_no);
  for (const Membership& of : state.patterns) take_out(of);
  states_[state.topic->id].reset();
}

void TopicTable::log(TopicState& state) {
  state.previous_no = state.apply_no;
  state.apply_no = changes_.add(state.topic->id, state.apply_no);
}

}  // namespace tickwire
