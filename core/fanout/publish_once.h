// PublishOnce: what clients published under a name of their own (`once` of a publish), so that a client that
// does not know whether it was published may send it again. For kOnceMs the same name, of the same client and
// topic, is not published again but answered as the first one was.
//
// A client is its token's subject, or its address where it has none. Any thread; a call holds the lock for a
// few look-ups. Memory is bounded: kOncePerClientMax names of a client, kOnceMax of all with a subject, and
// as many of all without one, who cost nothing to make up and so share no room with those who have one.
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
  struct Entry {
    std::optional<std::uint64_t> seq;  // nothing: it is being published
    std::int64_t until_us = 0;
  };
  struct Ended {
    std::int64_t until_us = 0;
    std::string what;
  };
  struct Client {
    std::unordered_map<std::string, Entry, KeyedHash> names;  // by topic and name
    std::deque<Ended> ended;                                  // those that have a seq, in order
  };
  struct Room {
    std::unordered_map<std::string, Client, KeyedHash> clients;
    std::deque<Ended> ended;  // whose name it was, in order
    std::size_t size = 0;     // names
  };

  [[nodiscard]] Room& room_of(const std::string& client) REQUIRES(mutex_);
  static void forget_old(Room& room, std::int64_t now_us);
  static std::size_t forget_old(Client& client, std::int64_t now_us, std::size_t most);

  mutable Mutex mutex_;
  Room subjects_ GUARDED_BY(mutex_);
  Room addresses_ GUARDED_BY(mutex_);
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
