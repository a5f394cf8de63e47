#include "hub/topic.h"

#include <algorithm>
#include <bit>

namespace tickwire {

UpdatePtr Topic::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::vector<UpdatePtr> Topic::ring_between(std::uint64_t from, std::uint64_t to) const {
  const std::lock_guard lock(mutex_);
  return kept_between(from, to);
}

std::vector<UpdatePtr> Topic::kept_between(std::uint64_t from, std::uint64_t to) const {
  if (ring_.empty() || from > to) return {};
  const std::uint64_t first = ring_.front()->seq();
  const std::uint64_t end = std::min(first + ring_.size(), to + 1);
  std::vector<UpdatePtr> out;
  for (std::uint64_t seq = std::max(from, first); seq < end; ++seq) out.push_back(ring_[seq - first]);
  return out;
}

bool Topic::delivers_to(SinkId sink) const {
  const std::lock_guard lock(mutex_);
  return ((sinks_ >> sink) & 1U) != 0;
}

std::uint64_t Topic::first_kept() const {
  const std::lock_guard lock(mutex_);
  if (!ring_.empty()) return ring_.front()->seq();
  return last_ ? last_->seq() + 1 : 1;
}

void Topic::keep(const UpdatePtr& update, std::size_t bytes_max) {
  // Before it has to grow for one that does not stay.
  if (ring_.size() == traits_.ring && traits_.ring > 0) drop_oldest();
  UpdatePtr kept = Update::kept(update);
  ring_bytes_ += kept->memory_bytes();
  ring_.push_back(std::move(kept));
  trim_ring(update->ts(), bytes_max);
}

void Topic::trim_ring(std::int64_t now_ms, std::size_t bytes_max) {
  const auto too_old = [&] { return traits_.ring_ms > 0 && now_ms - ring_.front()->ts() > traits_.ring_ms; };
  const auto too_large = [&] {
    return ring_.size() > traits_.ring || (traits_.delivery == Delivery::kValue && ring_bytes_ > bytes_max);
  };
  while (!ring_.empty() && (too_large() || too_old())) drop_oldest();
}

void Topic::drop_oldest() {
  ring_bytes_ -= ring_.pop_front()->memory_bytes();
}

std::string Topic::describe() const {
  const std::lock_guard lock(mutex_);
  std::string text = name + " seq=" + std::to_string(last_ ? last_->seq() : 0) + " ";
  if (last_) text.append(name_of(last_->status())).append(" ");
  return text.append(name_of(delivery())) + " sinks=" + std::to_string(std::popcount(sinks_));
}

}  // namespace tickwire
