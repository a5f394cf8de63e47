#include "access/revocations.h"

#include <algorithm>
#include <utility>

namespace tickwire {

void Revocations::set_life_ms(std::int64_t life_ms) {
  const MutexLock lock(mutex_);
  life_ms_ = life_ms;
}

std::int64_t Revocations::until_ms(std::int64_t at_ms) const {
  const MutexLock lock(mutex_);
  return at_ms + life_ms_;
}

Status Revocations::add(const Revocation& revocation, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  Status added = insert(revocation, now_ms);
  if (added) new_.push_back(revocation);
  return added;
}

Status Revocations::restore(const Revocation& revocation, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  return insert(revocation, now_ms);
}

Status Revocations::insert(const Revocation& revocation, std::int64_t now_ms) {
  forget(now_ms);
  const auto known = by_subject_.find(revocation.subject);
  if (known != by_subject_.end()) {
    // The later one covers the earlier one, whichever came first.
    if (known->second >= revocation.at_ms) return ok_status();
    const auto [first, last] = by_time_.equal_range(known->second);
    by_time_.erase(
        std::find_if(first, last, [&](const auto& one) { return one.second == revocation.subject; }));
    known->second = revocation.at_ms;
  } else if (by_subject_.size() >= kRevocationsMax) {
    return Error{ErrorCode::kTooMany,
                 "subject: " + std::to_string(kRevocationsMax) +
                     " subjects are revoked, more are not kept; they are forgotten sooner with a smaller "
                     "auth.jwt.max_age_s",
                 "subject", Limit::kRevocations};
  } else {
    by_subject_.emplace(revocation.subject, revocation.at_ms);
  }
  by_time_.emplace(revocation.at_ms, revocation.subject);
  return ok_status();
}

void Revocations::forget(std::int64_t now_ms) {
  while (!by_time_.empty() && by_time_.begin()->first + life_ms_ <= now_ms) {
    by_subject_.erase(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
}

bool Revocations::refuses(std::string_view subject, std::optional<double> issued_s,
                          std::int64_t now_ms) const {
  const MutexLock lock(mutex_);
  const auto found = by_subject_.find(subject);
  if (found == by_subject_.end() || found->second + life_ms_ <= now_ms) return false;
  return !issued_s || *issued_s * 1'000 <= static_cast<double>(found->second);
}

bool Revocations::revoked_since(std::string_view subject, std::int64_t since_ms) const {
  const MutexLock lock(mutex_);
  const auto found = by_subject_.find(subject);
  return found != by_subject_.end() && found->second >= since_ms;
}

std::size_t Revocations::size() const {
  const MutexLock lock(mutex_);
  return by_subject_.size();
}

std::vector<Revocation> Revocations::take_new() {
  const MutexLock lock(mutex_);
  return std::exchange(new_, {});
}

std::vector<Revocation> Revocations::take_all() {
  const MutexLock lock(mutex_);
  new_.clear();
  std::vector<Revocation> all;
  all.reserve(by_subject_.size());
  for (const auto& [subject, at_ms] : by_subject_) all.push_back({subject, at_ms});
  return all;
}

std::int64_t Revocations::forgotten_until_ms(std::int64_t now_ms) const {
  const MutexLock lock(mutex_);
  return now_ms - life_ms_;
}

}  // namespace tickwire
