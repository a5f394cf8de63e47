#include "fanout/cursors.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kCursorEntryBytes = 24;                   // of a topic in a cursor, about
constexpr std::size_t kPatternTopicsMax = kCursorBytesMax / 4;  // the shortest entry is ",a=1"
constexpr std::size_t kSharedMax = 64;                          // texts that are kept, of 4 KiB each at most
constexpr std::size_t kPlacesAStep = 8;

}  // namespace

struct Cursors::Making {
  CursorWriter cursor;
  Budget budget{kCursorSteps};
  bool settled;                       // the session's patterns are
  std::unordered_set<TopicId> named;  // of settled patterns: any of them names a topic as the others would
};

std::string Cursors::of(Session& session) {
  if (session.working || !session.held().empty() || session.ending_count() > 0) return {};
  (void)has_room();  // begins to count for this run, where a poll has not asked
  const std::uint64_t before = Work::done();
  Work::count();
  const std::optional<Key> patterns = settled_patterns(session);
  const bool shares = patterns && !patterns->empty() && !session.has_exact();
  const Made made = shares ? shared(session, *patterns) : make(session, patterns.has_value());
  if (!made.whole) parts_.counters.count(Limit::kCursorBytes);
  steps_ += Work::done() - before;
  return made.text;
}

bool Cursors::has_room() {
  if (std::exchange(run_, parts_.runs) != parts_.runs) steps_ = 0;
  return steps_ < kCursorPiecesPerRun * parts_.config.piece_steps;
}

Cursors::Due Cursors::due(const Session& session, std::uint64_t messages, std::size_t write_bytes) const {
  // Before anything is subscribed to, a cursor would take the place of the one that its client came with.
  if (messages == session.cursor_messages || session.subscription_count() == 0) return Due::kNo;
  if (parts_.clock.steady_us() - session.cursor_us >= kCursorUs) return Due::kYes;
  std::size_t topics = session.subscription_count();
  if (session.pattern_count() > 0) topics += kPatternTopicsMax;  // it costs a look at each
  return topics * kCursorEntryBytes < write_bytes ? Due::kWithThis : Due::kNo;
}

// Where a pattern began without snapshots, a later one may decide about its topics (Overlap::overridden).
std::optional<Cursors::Key> Cursors::settled_patterns(Session& session) const {
  Key key;
  for (const PatternSubscription& pattern : session.patterns()) {
    if (pattern.phase == Phase::kUnused) continue;
    Work::count();
    const bool joined = parts_.topics.pattern(pattern.pattern_id).joined;
    if (pattern.phase != Phase::kLive || pattern.unshown_until > 0 || !joined) return std::nullopt;
    key.push_back(pattern.pattern_id);
  }
  return key;
}

const Cursors::Made& Cursors::shared(Session& session, const Key& patterns) {
  const std::uint64_t now = parts_.topics.last_apply_no();
  const bool old = std::exchange(shared_no_, now) != now || shared_epoch_ != parts_.epoch;
  if (old || shared_.size() >= kSharedMax) shared_.clear();
  shared_epoch_ = parts_.epoch;
  const auto found = shared_.find(patterns);
  if (found != shared_.end()) return found->second;
  return shared_.emplace(patterns, make(session, true)).first->second;
}

Cursors::Made Cursors::make(Session& session, bool settled) const {
  Making making{.cursor = CursorWriter(parts_.epoch), .settled = settled, .named = {}};
  const bool whole = add_exact(session, making);
  bool cut = false;
  for (const PatternSubscription& pattern : session.patterns()) {
    if (pattern.phase == Phase::kUnused) continue;
    const std::size_t before = making.cursor.size();
    if (!cut && add_pattern(session, pattern, making)) continue;
    making.cursor.cut(before);
    cut = true;
  }
  return {making.cursor.text(), whole && !cut};
}

// Topics that nothing was published to come last: they go on from 0, so that the first events are not left
// out.
bool Cursors::add_exact(Session& session, Making& making) const {
  return add_exact(session, making, false) && add_exact(session, making, true);
}

bool Cursors::add_exact(Session& session, Making& making, bool empty) const {
  std::size_t place = 0;
  for (const Subscription& subscription : session.exact()) {
    if (place++ % kPlacesAStep == 0) Work::count();
    if (making.budget.spent()) return false;
    if (subscription.phase == Phase::kUnused || subscription.fresh) continue;
    if ((subscription.seq == 0) != empty) continue;
    Work::count();
    const TopicState& state = parts_.topics.state(subscription.topic_id);
    if (overlap_.is_over(session, subscription) || (empty && !state.is_event())) continue;
    // One that has no room is recovered:false by itself.
    const auto status = subscription.status_told ? std::optional(subscription.status) : std::nullopt;
    if (!making.cursor.add(state.topic->name, {subscription.seq, status})) return false;
  }
  return true;
}

bool Cursors::add_pattern(Session& session, const PatternSubscription& pattern, Making& making) const {
  const PatternState& wanted = parts_.topics.pattern(pattern.pattern_id);
  if (!wanted.joined || wanted.topics.size() > kPatternTopicsMax) return false;
  return std::ranges::all_of(wanted.topics, [&](const TopicState* state) {
    return !making.budget.spent() && add_shown(session, pattern, *state, making);
  });
}

bool Cursors::add_shown(Session& session, const PatternSubscription& pattern, const TopicState& state,
                        Making& making) const {
  Work::count();
  if (!state.last || !state.is_of(pattern.pattern_id)) return true;
  if (session.find(state.topic->id) != nullptr) return true;
  const bool elsewhere = making.settled ? !making.named.insert(state.topic->id).second
                                        : overlap_.overridden(session, pattern, state);
  if (elsewhere) return true;
  const bool shown = pattern.phase == Phase::kLive || state.apply_no <= pattern.caught_up_to;
  return !shown || making.cursor.add(state.topic->name, {state.seq(), state.last->status()});
}

}  // namespace tickwire
