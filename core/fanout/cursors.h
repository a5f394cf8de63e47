// Cursors: says where the client of a session is (protocol/cursor.h), from what its subscriptions were sent.
//
// A topic of a pattern is named where the pattern, or a child of it, has shown it; what the pattern owes is
// left out, and so begins with its snapshot, as it would have without a break. A pattern with more topics
// than there is room for is left out whole.
//
// Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "fanout/overlap.h"
#include "fanout/shard_parts.h"
#include "protocol/cursor.h"

namespace tickwire {

inline constexpr std::int64_t kCursorUs = 1'000'000;  // a stream that flows says where it is this often

class Cursors {
 public:
  Cursors(ShardParts& parts, const Overlap& overlap) : parts_(parts), overlap_(overlap) {}

  // Empty: a command of the session is under way, so nobody can say.
  [[nodiscard]] std::string of(Session& session) const;
  // Whether a stream that was sent so many messages in all should say where it is, with a write of so many
  // bytes: each time where that costs little beside the write, else once in kCursorUs.
  [[nodiscard]] bool is_due(const Session& session, std::uint64_t messages, std::size_t write_bytes) const;

 private:
  // Both: false where there is no room for it.
  bool add_exact(Session& session, CursorWriter& cursor) const;
  bool add_pattern(Session& session, const PatternSubscription& pattern, CursorWriter& cursor) const;
  bool add_shown(Session& session, const PatternSubscription& pattern, const TopicState& state,
                 CursorWriter& cursor) const;

  ShardParts& parts_;
  const Overlap& overlap_;
};

}  // namespace tickwire
