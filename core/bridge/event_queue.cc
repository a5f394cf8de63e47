#include "bridge/event_queue.h"

namespace tickwire {

std::size_t question_bytes(const AccessQuestion& question) {
  const ClientInfo& client = question.client;
  return sizeof(AccessQuestion) + question.topic.size() + client.session.size() + client.remote.size() +
         client.token.size() + client.claims.size();
}

void EventQueue::push_demand(FeedId feed, const std::string& topic, bool wanted) {
  const std::scoped_lock lock(mutex_);
  demand_[{feed, topic}] = wanted;
  signal_once();
}

bool EventQueue::push_question(AccessQuestion question) {
  const std::size_t bytes = question_bytes(question);
  const std::scoped_lock lock(mutex_);
  if (open_bytes_ + bytes > kOpenQuestionBytesMax) return false;
  open_bytes_ += bytes;
  open_.emplace(question.id, OpenQuestion{question.shard, bytes});
  questions_.push_back(std::move(question));
  signal_once();
  return true;
}

std::optional<std::uint32_t> EventQueue::close_question(std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return std::nullopt;
  const OpenQuestion question = found->second;
  open_.erase(found);
  open_bytes_ -= question.bytes;
  return question.shard;
}

void EventQueue::forget_feed(FeedId feed) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(demand_, [feed](const auto& entry) { return entry.first.first == feed; });
}

std::vector<BridgeEvent> EventQueue::take() {
  std::map<std::pair<FeedId, std::string>, bool> demand;
  std::vector<AccessQuestion> questions;
  {
    const std::scoped_lock lock(mutex_);
    demand.swap(demand_);
    questions.swap(questions_);
    signalled_ = false;
    notify_.clear();
  }
  std::vector<BridgeEvent> events;
  events.reserve(demand.size() + questions.size());
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
