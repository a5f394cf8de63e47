#include "fanout/cursors.h"

#include <string>
#include <vector>

#include "base/work.h"

namespace tickwire {
namespace {

constexpr std::size_t kCursorEntryBytes = 24;                   // of a topic in a cursor, about
constexpr std::size_t kPatternTopicsMax = kCursorBytesMax / 4;  // the shortest entry is ",a=1"
// A scan for the topics of a pattern looks at other names, too.
constexpr std::uint64_t kScanSteps = 2 * kPatternTopicsMax;

}  // namespace

std::string Cursors::of(Session& session) const {
  if (session.working || !session.held().empty() || session.ending_count() > 0) return {};
  CursorWriter cursor(parts_.epoch);
  bool whole = add_exact(session, cursor);
  for (const PatternSubscription& pattern : session.patterns()) {
    if (pattern.phase == Phase::kUnused) continue;
    const std::size_t before = cursor.size();
    if (add_pattern(session, pattern, cursor)) continue;
    cursor.cut(before);
    whole = false;
  }
  if (!whole) parts_.counters.count(Limit::kCursorBytes);
  return cursor.text();
}

bool Cursors::is_due(const Session& session, std::uint64_t messages, std::size_t write_bytes) const {
  if (messages == session.cursor_messages) return false;
  if (parts_.clock.steady_us() - session.cursor_us >= kCursorUs) return true;
  std::size_t topics = session.subscription_count();
  if (session.pattern_count() > 0) topics += kPatternTopicsMax;  // it costs a look at each
  return topics * kCursorEntryBytes < write_bytes;
}

bool Cursors::add_exact(Session& session, CursorWriter& cursor) const {
  for (const Subscription& subscription : session.exact()) {
    if (subscription.phase == Phase::kUnused || subscription.fresh) continue;
    if (overlap_.is_over(session, subscription)) continue;
    Work::count();
    if (subscription.seq == 0) continue;
    const TopicState& state = parts_.topics.state(subscription.topic_id);
    // One that has no room is recovered:false by itself.
    const auto status = subscription.status_told ? std::optional(subscription.status) : std::nullopt;
    if (!cursor.add(state.topic->name, {subscription.seq, status})) return false;
  }
  return true;
}

bool Cursors::add_pattern(Session& session, const PatternSubscription& pattern, CursorWriter& cursor) const {
  const PatternState& wanted = parts_.topics.pattern(pattern.pattern_id);
  if (!wanted.joined || wanted.topics > kPatternTopicsMax) return false;
  const Budget budget(kScanSteps);
  std::string after;
  std::vector<UpdatePtr> found;
  if (!parts_.hub.list(wanted.pattern, after, kPatternTopicsMax, budget, found)) return false;
  for (const UpdatePtr& update : found) {
    const TopicState* state = parts_.topics.find(update->topic().id);
    if (state != nullptr && !add_shown(session, pattern, *state, cursor)) return false;
  }
  return true;
}

bool Cursors::add_shown(Session& session, const PatternSubscription& pattern, const TopicState& state,
                        CursorWriter& cursor) const {
  if (!state.last || session.find(state.topic->id) != nullptr) return true;
  if (overlap_.overridden(session, pattern, state)) return true;
  const bool shown = pattern.phase == Phase::kLive || state.apply_no <= pattern.caught_up_to;
  return !shown || cursor.add(state.topic->name, {state.seq(), state.last->status()});
}

}  // namespace tickwire
