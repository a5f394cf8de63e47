#include "bridge/event_queue.h"

namespace tickwire {

namespace {

Error no_room(Limit spent) {
  const bool address = spent == Limit::kOpenQuestionsPerAddress;
  const std::size_t limit = address ? kOpenQuestionsPerAddressMax : kOpenQuestionsMax;
  return {ErrorCode::kUnavailable,
          std::to_string(limit) + " questions to authorizers" + (address ? " of your address" : "") +
              " wait, that is the limit; try again later",
          "", spent};
}

}  // namespace

void EventQueue::push_demand(FeedId feed, const std::string& topic, bool wanted) {
  const MutexLock lock(mutex_);
  demand_[{feed, topic}] = wanted;
  signal_once();
}

Status EventQueue::push_question(AccessQuestion question) {
  Share share(questions_, question.client->address);
  if (const auto limit = share.resize(1)) return no_room(*limit);
  const MutexLock lock(mutex_);
  const std::uint64_t id = question.id;
  const std::uint32_t shard = question.shard;
  const auto place = waiting_.insert(waiting_.end(), std::move(question));
  open_.emplace(id, OpenQuestion{shard, std::move(share), place});
  signal_once();
  return ok_status();
}

std::optional<std::uint32_t> EventQueue::close_question(std::uint64_t id) {
  const MutexLock lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return std::nullopt;
  const std::uint32_t shard = found->second.shard;
  if (found->second.waiting) waiting_.erase(*found->second.waiting);
  open_.erase(found);
  return shard;
}

void EventQueue::push_restart(const std::string& plugin) {
  const MutexLock lock(mutex_);
  restarts_.insert(plugin);
  signal_once();
}

void EventQueue::push_log_level(const std::string& level) {
  const MutexLock lock(mutex_);
  log_level_ = level;
  signal_once();
}

void EventQueue::forget_feed(FeedId feed) {
  const MutexLock lock(mutex_);
  std::erase_if(demand_, [feed](const auto& entry) { return entry.first.first == feed; });
}

std::vector<BridgeEvent> EventQueue::take() {
  std::map<std::pair<FeedId, std::string>, bool> demand;
  std::list<AccessQuestion> questions;
  std::set<std::string> restarts;
  std::optional<std::string> log_level;
  {
    const MutexLock lock(mutex_);
    demand.swap(demand_);
    questions.swap(waiting_);
    restarts.swap(restarts_);
    log_level.swap(log_level_);
    for (const AccessQuestion& question : questions) open_.at(question.id).waiting.reset();
    signalled_ = false;
    notify_.clear();
  }
  std::vector<BridgeEvent> events;
  events.reserve(demand.size() + questions.size() + restarts.size() + 1);
  if (log_level) events.emplace_back(AdminWish{.restart = {}, .log_level = std::move(*log_level)});
  for (const std::string& plugin : restarts)
    events.emplace_back(AdminWish{.restart = plugin, .log_level = {}});
  for (const auto& [key, wanted] : demand) events.emplace_back(DemandChange{key.first, key.second, wanted});
  for (AccessQuestion& question : questions) events.emplace_back(std::move(question));
  return events;
}

void EventQueue::signal_once() {
  if (signalled_) return;
  signalled_ = true;
  notify_.signal();
}

}  // namespace tickwire
