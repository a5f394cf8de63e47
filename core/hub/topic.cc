#include "hub/topic.h"

#include <bit>

namespace tickwire {

UpdatePtr Topic::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::vector<UpdatePtr> Topic::ring_between(std::uint64_t from, std::uint64_t to) const {
  const std::lock_guard lock(mutex_);
  std::vector<UpdatePtr> out;
  for (const UpdatePtr& update : ring_) {
    if (update->seq() >= from && update->seq() <= to) out.push_back(update);
  }
  return out;
}

std::string Topic::describe() const {
  const std::lock_guard lock(mutex_);
  std::string text = name + " seq=" + std::to_string(last_ ? last_->seq() : 0) + " ";
  if (last_) text.append(name_of(last_->status())).append(" ");
  return text.append(name_of(delivery())) + " sinks=" + std::to_string(std::popcount(sinks_));
}

}  // namespace tickwire
