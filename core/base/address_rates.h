// AddressRates: a TokenBucket for each address, so that many connections of one address together do no more
// than the plant grants an address. A peer on this machine (PeerAddress::exempt()) has no limit here.
//
// Any thread; one mutex, a leaf. Cost: constant time. Memory: only addresses whose bucket is not full, and a
// few more: each call forgets up to two whose bucket is full again, those that were quiet for longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "base/mutex.h"
#include "base/shares.h"
#include "base/token_bucket.h"

namespace tickwire {

class AddressRates {
 public:
  explicit AddressRates(Rate rate) : rate_(rate) {}
  ~AddressRates() = default;
  AddressRates(const AddressRates&) = delete;
  AddressRates& operator=(const AddressRates&) = delete;

  // What is refused is not charged: it may come from others at the same address.
  TokenBucket::Taken take(PeerAddress address, std::int64_t now_us) {
    if (rate_.per_s == 0 || address.exempt()) return {};
    const MutexLock lock(mutex_);
    forget(now_us);
    const auto [found, is_new] = by_address_.try_emplace(address.key);
    if (is_new) {
      found->second = quiet_first_.emplace(quiet_first_.end(), Entry{address.key, {}});
    } else {
      quiet_first_.splice(quiet_first_.end(), quiet_first_, found->second);
    }
    return found->second->bucket.take(rate_, now_us, TokenBucket::Refused::kFree);
  }
  [[nodiscard]] std::size_t size() const {
    const MutexLock lock(mutex_);
    return by_address_.size();
  }

 private:
  struct Entry {
    std::uint64_t key;
    TokenBucket bucket;
  };

  void forget(std::int64_t now_us) REQUIRES(mutex_) {
    for (int i = 0; i < 2 && !quiet_first_.empty(); ++i) {
      if (!quiet_first_.front().bucket.is_full(now_us)) return;
      by_address_.erase(quiet_first_.front().key);
      quiet_first_.pop_front();
    }
  }

  const Rate rate_;
  mutable Mutex mutex_;
  std::list<Entry> quiet_first_ GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_address_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
