// PublishOnce: what clients published under a name of their own (`once` of a publish), so that a client that
// does not know whether it was published may send it again. For kOnceMs the same name, of the same client and
// topic, is not published again but answered as the first one was.
//
// A client is its token's subject, or its address where it has none. Any thread; a call holds the lock for a
// few look-ups. Memory is bounded: kOncePerClientMax names of a client, kOnceMax of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "model/keyed_hash.h"
#include "session/client_info.h"

namespace tickwire {

inline constexpr std::int64_t kOnceMs = 60'000;
inline constexpr std::size_t kOncePerClientMax = 10'000;
inline constexpr std::size_t kOnceMax = 100'000;

class PublishOnce {
 public:
  struct Name {
    std::string client;
    std::string topic;
    std::string once;
  };
  static std::string client_of(const ClientInfo& client);

  // Nothing: it is new, is to be published, and end() says what became of it. Else the seq that it was
  // published with. kUnavailable: it is being published just now. kTooMany: one of the limits.
  Result<std::optional<std::uint64_t>> begin(const Name& name, std::int64_t now_us);
  // A refused one may be published later.
  void end(const Name& name, const Result<std::uint64_t>& outcome, std::int64_t now_us);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Ending {
    std::int64_t until_us = 0;
    std::string client, key;
  };

  void forget_old(std::int64_t now_us) REQUIRES(mutex_);
  void erase(const std::string& client, const std::string& key) REQUIRES(mutex_);

  mutable Mutex mutex_;
  // By topic and name: the seq; nothing: it is being published.
  using Entries = std::unordered_map<std::string, std::optional<std::uint64_t>, KeyedHash>;
  std::unordered_map<std::string, Entries, KeyedHash> clients_ GUARDED_BY(mutex_);
  std::deque<Ending> endings_ GUARDED_BY(mutex_);  // of what was published, in order
  std::size_t size_ GUARDED_BY(mutex_) = 0;
};

// A name that is taken while its update is published. What was not published gives it back.
class OnceHold {
 public:
  OnceHold(PublishOnce& names, PublishOnce::Name name, const Clock& clock)
      : names_(names), name_(std::move(name)), clock_(clock) {}
  ~OnceHold() {
    if (!ended_) end(Error{ErrorCode::kUnavailable, "was not published", ""});
  }
  OnceHold(const OnceHold&) = delete;
  OnceHold& operator=(const OnceHold&) = delete;

  void end(const Result<std::uint64_t>& outcome) {
    ended_ = true;
    names_.end(name_, outcome, clock_.steady_us());
  }

 private:
  PublishOnce& names_;
  const PublishOnce::Name name_;
  const Clock& clock_;
  bool ended_ = false;
};
using OnceHoldPtr = std::shared_ptr<OnceHold>;

}  // namespace tickwire
