// Shares: a total that many peers draw on, of which one holder and one address may have only a part, so that
// no client takes what the others need: memory for inflating, questions to plugins, connections that have not
// yet said what they want.
//
// A holder (a connection, a session, a command) owns a Share: it says with resize() how much it has now, and
// gives everything back when it is destroyed. The limits are ShareLimits: one holder, one address, everybody
// together. ShareNames says what they are called, so that a refusal names the limit that is in the way. A
// peer on this machine (PeerAddress::exempt()) has no limit by address: behind it stand a proxy's many
// clients. The other two limits hold for it, too.
//
// Any thread, also at the same time: one mutex for each Shares, which is a leaf (no other lock is taken under
// it). A single Share belongs to one thread at a time. The Shares outlives every Share of it. Cost: constant
// time; memory only for addresses that hold something.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/limit.h"
#include "base/mutex.h"

namespace tickwire {

// Who a peer is to a limit: an IPv4 address, or the /64 network of an IPv6 address, since one host has a
// whole /64 to itself (RFC 4291 section 2.5.1). net/socket_address.h makes it from a socket. A plain value.
struct PeerAddress {
  std::uint64_t key = 0;  // 0: loopback, a UNIX socket, or this very process

  static PeerAddress of_ipv4(std::uint32_t address) { return {0xFFFF'0000'0000U | address}; }
  static PeerAddress of_ipv6_network(std::uint64_t network) { return {network}; }
  [[nodiscard]] bool exempt() const { return key == 0; }
  bool operator==(const PeerAddress&) const = default;
};

struct ShareLimits {
  std::size_t total = 0;        // of everybody together
  std::size_t per_address = 0;  // of all holders at one address
  std::size_t per_holder = 0;   // of one Share
};

// By which names they are known.
struct ShareNames {
  Limit total;
  Limit per_address;
  Limit per_holder;
};

class Shares {
 public:
  Shares(const ShareLimits& limits, const ShareNames& names) : limits_(limits), names_(names) {}
  ~Shares() = default;
  Shares(const Shares&) = delete;
  Shares& operator=(const Shares&) = delete;

  [[nodiscard]] const ShareLimits& limits() const { return limits_; }
  [[nodiscard]] std::size_t held() const {
    const MutexLock lock(mutex_);
    return held_;
  }
  [[nodiscard]] std::size_t held_by(PeerAddress address) const {
    const MutexLock lock(mutex_);
    const auto found = by_address_.find(address.key);
    return found == by_address_.end() ? 0 : found->second;
  }

 private:
  friend class Share;

  std::optional<Limit> take(PeerAddress address, std::size_t amount) {
    const MutexLock lock(mutex_);
    if (amount > limits_.total || held_ > limits_.total - amount) return names_.total;
    if (!address.exempt()) {
      const auto found = by_address_.find(address.key);
      const std::size_t has = found == by_address_.end() ? 0 : found->second;
      if (amount > limits_.per_address || has > limits_.per_address - amount) return names_.per_address;
      by_address_[address.key] = has + amount;
    }
    held_ += amount;
    return std::nullopt;
  }
  void give_back(PeerAddress address, std::size_t amount) {
    const MutexLock lock(mutex_);
    assert(held_ >= amount);
    held_ -= amount;
    if (address.exempt()) return;
    const auto found = by_address_.find(address.key);
    assert(found != by_address_.end() && found->second >= amount);
    found->second -= amount;
    if (found->second == 0) by_address_.erase(found);
  }

  const ShareLimits limits_;
  const ShareNames names_;
  mutable Mutex mutex_;
  std::size_t held_ GUARDED_BY(mutex_) = 0;
  // Without those that are exempt.
  std::unordered_map<std::uint64_t, std::size_t> by_address_ GUARDED_BY(mutex_);
};

class Share {
 public:
  Share() = default;  // of nothing: resize() must not be called
  Share(Shares& shares, PeerAddress address) : shares_(&shares), address_(address) {}
  ~Share() { release(); }
  Share(Share&& other) noexcept
      : shares_(other.shares_), address_(other.address_), held_(std::exchange(other.held_, 0)) {}
  Share& operator=(Share&& other) noexcept {
    if (this == &other) return *this;
    release();
    shares_ = other.shares_;
    address_ = other.address_;
    held_ = std::exchange(other.held_, 0);
    return *this;
  }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  // Holds `amount` from now on. Else the limit that is in the way, and it holds what it held before. Less
  // than before is always taken.
  std::optional<Limit> resize(std::size_t amount) {
    assert(shares_ != nullptr);
    if (amount > held_) {
      if (amount > shares_->limits().per_holder) return shares_->names_.per_holder;
      if (const auto limit = shares_->take(address_, amount - held_)) return limit;
    } else if (amount < held_) {
      shares_->give_back(address_, held_ - amount);
    }
    held_ = amount;
    return std::nullopt;
  }
  void release() {
    if (held_ > 0) shares_->give_back(address_, std::exchange(held_, 0));
  }
  [[nodiscard]] std::size_t held() const { return held_; }
  // Not of nothing.
  [[nodiscard]] bool counts() const { return shares_ != nullptr; }

 private:
  Shares* shares_ = nullptr;
  PeerAddress address_;
  std::size_t held_ = 0;
};

}  // namespace tickwire
