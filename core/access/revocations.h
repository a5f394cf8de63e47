// Revocations: subjects whose tokens were taken back, each with the moment up to which. A token of such a
// subject that was issued at or before that moment is refused, and so is one that does not say when it was
// issued (`iat`). A revocation is kept until every token that it is about has expired: TokenRules bound how
// long a token lives, so the list forgets, and it holds kRevocationsMax at most.
//
// Any thread; each call holds the lock for one look-up, but for take_all(). Invariant: what add() took counts
// from the moment when it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"

namespace tickwire {

inline constexpr std::size_t kRevocationsMax = 100'000;

struct Revocation {
  std::string subject;     // as a token's `sub` has it
  std::int64_t at_ms = 0;  // wall clock
};

class Revocations {
 public:
  // `life_ms`: how long after it a token may be valid that was issued at some moment.
  explicit Revocations(std::int64_t life_ms = 0) : life_ms_(life_ms) {}

  // For the revocations that are there, too.
  void set_life_ms(std::int64_t life_ms);
  // When a revocation of `at_ms` is forgotten.
  [[nodiscard]] std::int64_t until_ms(std::int64_t at_ms) const;

  // A later one of a subject takes the place of an earlier one. kTooMany: there are kRevocationsMax of
  // others.
  Status add(const Revocation& revocation, std::int64_t now_ms);
  // Whether a token is refused. `issued_s`: its `iat`, in seconds.
  [[nodiscard]] bool refuses(std::string_view subject, std::optional<double> issued_s,
                             std::int64_t now_ms) const;
  // Whether the subject was revoked at `since_ms` or later.
  [[nodiscard]] bool revoked_since(std::string_view subject, std::int64_t since_ms) const;
  [[nodiscard]] std::size_t size() const;

  // --- for the store ----------------------------------------------------------------------------------
  // One that was kept, if it has not been forgotten; it does not count as new. kTooMany.
  Status restore(const Revocation& revocation, std::int64_t now_ms);
  // Takes what was added since the last call.
  std::vector<Revocation> take_new();
  // Takes all of them; none is new afterwards.
  std::vector<Revocation> take_all();
  // Every revocation of this moment or an earlier one is forgotten.
  [[nodiscard]] std::int64_t forgotten_until_ms(std::int64_t now_ms) const;

 private:
  Status insert(const Revocation& revocation, std::int64_t now_ms) REQUIRES(mutex_);
  void forget(std::int64_t now_ms) REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::int64_t life_ms_ GUARDED_BY(mutex_);
  std::map<std::string, std::int64_t, std::less<>> by_subject_ GUARDED_BY(mutex_);  // at_ms of each
  std::multimap<std::int64_t, std::string> by_time_ GUARDED_BY(mutex_);             // the same
  std::vector<Revocation> new_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
