#include "cluster/member.h"

#include <algorithm>
#include <utility>

namespace tickwire::cluster {

Member::Member(Hub& hub, const Clock& clock, Names& names, Plant& plant, std::function<void()> wake,
               const MemberRules& rules)
    : hub_(hub),
      clock_(clock),
      names_(names),
      plant_(plant),
      rules_(rules),
      outbox_(hub, currency_, std::move(wake), rules.outbox_bytes_max),
      checkpointer_(hub, clock, names, rules.checkpoint),
      follower_(hub, outbox_, rules.unguarded),
      heard_us_(clock.steady_us()),
      wrote_us_(clock.steady_us()) {
  hub_.set_serving(false);
  rename();
}

std::string Member::node() const {
  const MutexLock lock(mutex_);
  return node_;
}

// --- the thread that follows ----------------------------------------------------------------------------

bool Member::follow(Log& log, Table& table) {
  switch (state()) {
    case State::kLoading:
      return load(log, table);
    case State::kReaching:
      if (!hub_.epoch_is_reached()) return false;
      set_state(State::kFollowing);
      return true;
    case State::kFollowing:
      return take_entries(log, table);
    case State::kLeaving:
      if (!plant_.has_left()) return false;
      set_state(State::kLoading);
      return true;
  }
  return false;
}

bool Member::load(Log& log, Table& table) {
  const std::string node = this->node();
  const Result<LogState> state = log.state(node);
  heard(state.ok());
  if (!state) return false;
  if (state->empty) return seed(table);
  empty_since_us_ = 0;
  Loader loader;
  if (const Status read = loader.read(log, table, node); !read) return false;
  if (has_topics_) hub_.forget_updates();
  const std::uint64_t batch = loader.batch();
  loader.apply(hub_, follower_);
  outbox_.applied(node, batch, {});
  greet_again_ = true;
  has_topics_ = true;
  taken_.clear();
  next_ = 0;
  at_ = follower_.position().n;
  set_state(State::kReaching);
  return true;
}

bool Member::take_entries(Log& log, Table& table) {
  if (next_ == taken_.size()) {
    Result<std::vector<Entry>> some = log.read(follower_.position().n, kEntriesAtOnce);
    heard(some.ok());
    if (!some) return false;
    if (some->empty()) return look_around(log, table);
    taken_ = std::move(*some);
    next_ = 0;
  }
  for (; next_ < taken_.size(); ++next_) {
    const Entry& entry = taken_[next_];
    if (entry.epoch != follower_.position().epoch) greet_again_ = true;
    const Follower::Step step = follower_.follow(entry);
    if (step == Follower::Step::kWait) return false;
    if (step == Follower::Step::kFork) {
      leave();
      return true;
    }
    at_ = follower_.position().n;
    currency_.reached(at_);
    checkpointer_.look(follower_, entry.records.size());
  }
  return true;
}

// There is nothing to read: because nothing came, or because the log is another one.
bool Member::look_around(Log& log, Table& table) {
  checkpointer_.look(follower_, 0);
  const Result<LogState> state = log.state(node());
  heard(state.ok());
  if (!state) return false;
  if (state->empty) return seed(table);
  empty_since_us_ = 0;
  const Position& here = follower_.position();
  head_ = state->head.n;
  const bool behind = state->head.n < here.n;
  const bool other = state->head.n == here.n && state->head.chain != here.chain;
  if (!rules_.unguarded.chain && (behind || other)) {
    leave();
  } else if (state->head.n > here.n) {
    // What came meanwhile can be read, unless it is trimmed already.
    const Result<std::vector<Entry>> more = log.read(here.n, 1);
    if (more && more->empty()) leave();
  }
  return false;
}

bool Member::seed(Table& table) {
  const std::int64_t now = clock_.steady_us();
  if (empty_since_us_ == 0) empty_since_us_ = now;
  if (!has_topics_ && now - empty_since_us_ < rules_.seed_wait_us) return false;
  // Under a name of its own: what an earlier attempt of this node sent may still be on its way.
  const std::string attempt = names_.make();
  const auto holds = [](const Result<bool>& done) { return done && *done; };
  if (!holds(table.claim_seed(attempt))) return false;
  std::vector<Row> rows = has_topics_ ? all_rows(hub_, follower_) : std::vector<Row>();
  while (!rows.empty()) {
    const std::size_t count = std::min(rows.size(), kRowsAtOnce);
    const auto first = rows.end() - static_cast<std::ptrdiff_t>(count);
    if (!holds(table.seed(attempt, {first, rows.end()}))) return false;
    rows.erase(first, rows.end());
  }
  if (!holds(table.open(attempt, follower_.position(), names_.make(), names_.make()))) return false;
  ++seeds_;
  empty_since_us_ = 0;
  return true;
}

void Member::leave() {
  ++reloads_;
  hub_.set_serving(false);
  currency_.ask_again();
  plant_.leave();
  set_state(State::kLeaving);
}

void Member::set_state(State state) {
  if (state == State::kFollowing) {
    currency_.reached(follower_.position().n);
    checkpointer_.look(follower_, 0);
    hub_.set_serving(true);
  }
  state_ = state;
}

void Member::heard(bool answered) {
  const std::int64_t now = clock_.steady_us();
  if (answered) heard_us_ = now;
  const bool lost = now - heard_us_ >= rules_.loss_us;
  if (lost == cut_off_) return;
  cut_off_ = lost;
  outbox_.set_reachable(!lost && writes_);
  currency_.set_cut_off(lost);
  hub_.suspend(lost);
}

// --- the thread that writes -----------------------------------------------------------------------------

bool Member::write(Log& log, Table& table) {
  if (greet_again_.exchange(false)) greeted_ = false;
  // Who asked nothing for a while was not refused meanwhile.
  if (greeted_ && outbox_.bytes() == 0) wrote(true);
  if (!greeted_ && !greet(log)) return false;
  if (!answer_askers(log)) return false;
  if (const auto parcel = outbox_.next()) return append(log, *parcel);
  const Result<bool> piece = checkpointer_.step(table, node());
  if (!piece) wrote(false);
  return piece && *piece;
}

bool Member::greet(Log& log) {
  const Result<LogState> state = log.hello({node(), joins_, names_.make(), names_.make()});
  // An engine that says hello and takes no update does not answer who publishes.
  if (!state || outbox_.bytes() == 0) wrote(state.ok());
  // One that joins and gets no answer may become a member at any time, so its name is used no more.
  if (!state && joins_) rename();
  if (!state || state->empty) return false;
  if (!state->is_member) {
    rename();
    return false;
  }
  joins_ = false;
  outbox_.in_log(state->batch);
  epoch_ = state->head.epoch;
  head_ = state->head.n;
  currency_.ask_again();
  greeted_ = true;
  return true;
}

bool Member::append(Log& log, const Outbox::Parcel& parcel) {
  const Result<Appended> done = log.append({node(), parcel.no, epoch_, names_.make(), parcel.records});
  wrote(done.ok());
  if (!done) return false;
  if (*done == Appended::kDone) {
    outbox_.appended(parcel.no);
    return true;
  }
  ++fenced_;
  greeted_ = false;
  if (*done == Appended::kGone) rename();
  return true;
}

bool Member::answer_askers(Log& log) {
  const std::size_t asking = currency_.asking();
  if (asking == 0) return true;
  const Result<LogState> state = log.state(node());
  wrote(state.ok());
  if (!state) return false;
  // Numbers of two epochs do not compare: one of the two threads has yet to hear of the other's.
  if (state->head.epoch != hub_.epoch()) return true;
  head_ = state->head.n;
  currency_.head_is(state->head.n, asking);
  return true;
}

void Member::wrote(bool answered) {
  const std::int64_t now = clock_.steady_us();
  if (answered) wrote_us_ = now;
  if (!answered) greeted_ = false;
  writes_ = now - wrote_us_ < rules_.loss_us;
  outbox_.set_reachable(writes_ && !cut_off_);
}

void Member::rename() {
  std::string name = names_.make();
  outbox_.set_node(name);
  joins_ = true;
  const MutexLock lock(mutex_);
  node_ = std::move(name);
}

}  // namespace tickwire::cluster
