// Cursors: says where the client of a session is (protocol/cursor.h), from what its subscriptions were sent.
//
// A topic of a pattern is named where the pattern, or a child of it, has shown it; what the pattern owes is
// left out, and so begins with its snapshot, as it would have without a break. A pattern with more topics
// than there is room for, or than kCursorSteps suffice to look at, is left out whole, and so are those after
// it, without a look at them.
//
// A turn may make the cursors of all streams due at once. So those of sessions that have the same patterns,
// all of them live, are one text, which is made once for each change of the topics; and what all cursors of
// one run of the shard take is bounded: has_room() says whether another one may be made.
//
// Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/work.h"
#include "fanout/overlap.h"
#include "fanout/shard_parts.h"
#include "protocol/cursor.h"

namespace tickwire {

inline constexpr std::int64_t kCursorUs = 1'000'000;  // a stream that flows says where it is this often
inline constexpr std::uint64_t kCursorSteps = 2'048;  // of one cursor: twice the most topics that it may name
inline constexpr std::uint64_t kCursorPiecesPerRun = 2;  // of ShardConfig::piece_steps: all cursors of a run

class Cursors {
 public:
  Cursors(ShardParts& parts, const Overlap& overlap) : parts_(parts), overlap_(overlap) {}

  // Empty: a command of the session is under way, so nobody can say.
  [[nodiscard]] std::string of(Session& session);
  // Whether a stream that was sent so many messages in all should say where it is, with a write of so many
  // bytes: when it begins, as the first message may come while its client is away; and with messages each
  // time where that costs little beside the write, else once in kCursorUs.
  enum class Due : std::uint8_t {
    kNo,
    kWithThis,  // it costs little; with a later write as well
    kYes,
  };
  [[nodiscard]] Due due(const Session& session, std::uint64_t messages, std::size_t write_bytes) const;
  // False: the cursors of this run have taken what they may; a later one makes the next.
  [[nodiscard]] bool has_room();

 private:
  struct Made {
    std::string text;
    bool whole = true;
  };
  struct Making;                           // a cursor
  using Key = std::vector<std::uint32_t>;  // ids of patterns

  // The session's patterns, where each has shown all its topics as they are; nothing: one has not.
  [[nodiscard]] std::optional<Key> settled_patterns(Session& session) const;
  const Made& shared(Session& session, const Key& patterns);
  [[nodiscard]] Made make(Session& session, bool settled) const;
  // Each: false where there is no room for it, or the budget is spent.
  bool add_exact(Session& session, Making& making) const;
  bool add_exact(Session& session, Making& making, bool empty) const;
  bool add_pattern(Session& session, const PatternSubscription& pattern, Making& making) const;
  bool add_shown(Session& session, const PatternSubscription& pattern, const TopicState& state,
                 Making& making) const;

  ShardParts& parts_;
  const Overlap& overlap_;
  std::uint64_t run_ = 0;        // the run of the shard (ShardParts::runs) that steps_ is about
  std::uint64_t steps_ = 0;      // that cursors took in it
  std::map<Key, Made> shared_;   // as of shared_epoch_ and shared_no_
  std::string shared_epoch_;     // an epoch
  std::uint64_t shared_no_ = 0;  // an apply number
};

}  // namespace tickwire
