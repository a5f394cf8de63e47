#include "fanout/leases.h"

#include <algorithm>

#include "base/work.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

// A question asked, or a subscription taken up or down and its client told.
constexpr std::uint64_t kStepWork = 32;
// A topic of a review that is asked about.
constexpr std::uint64_t kTopicWork = 8;
constexpr std::size_t kReviewPiece = kSessionQuestionsMax;

Error cannot_say(std::string_view topic) {
  return {ErrorCode::kUnavailable,
          std::string(topic) + ": could not be authorized again; the server goes on asking", ""};
}

// Doubles with each attempt; the jitter spreads sessions and topics that lost their authorizer together.
std::int64_t retry_after_us(unsigned attempts, std::string_view topic, std::uint32_t slot) {
  const std::int64_t whole_us =
      std::min(kRenewalRetryMsFirst << std::min(attempts - 1, 10U), kRenewalRetryMsMax) * 1000;
  const std::size_t spread = std::hash<std::string_view>{}(topic) ^ (std::size_t{slot} * 0x9E37'79B9U);
  return whole_us + static_cast<std::int64_t>(spread % static_cast<std::size_t>(whole_us / 4));
}

void tell(ShardParts& parts, Session& session, std::string_view topic, const std::optional<Error>& error) {
  if (!error) return;
  parts.counters.count(*error);
  session.send(encode_error("", *error, topic));
}

}  // namespace

std::int64_t renewal_lead_us(std::int64_t ttl_us, std::int64_t deadline_ms) {
  return std::min(ttl_us / 4, (deadline_ms + kRenewalRetryMsFirst) * 1000);
}

Error too_many_guarded(std::size_t most) {
  return {ErrorCode::kTooMany, "topics: at most " + std::to_string(most) + " guarded ones a session", "",
          Limit::kSubscriptions};
}

// --- the book -------------------------------------------------------------------------------------------

bool Leases::keep(const Session& session, const std::string& topic, const Grant& grant,
                  std::uint16_t pace_ms) {
  if (session.slot >= books_.size()) books_.resize(session.slot + 1);
  std::unique_ptr<Book>& book = books_[session.slot];
  if (!book) {
    book = std::make_unique<Book>();
    book->session = parts_.sessions.ref(session);
  }
  auto found = book->leases.find(topic);
  if (found == book->leases.end()) {
    if (book->leases.size() >= parts_.config.session.subscriptions_max) return false;
    found = book->leases.emplace(topic, Lease{}).first;
    found->second.topic = &found->first;
  }
  found->second.asked_pace_ms = pace_ms;
  found->second.granted_pace_ms = grant.pace_ms;
  renew(*book, found->second, grant);
  schedule(*book);
  return true;
}

void Leases::renew(Book& book, Lease& lease, const Grant& grant) {
  lease.attempts = 0;
  const std::int64_t now = parts_.clock.steady_us();
  set_end(book, lease, grant.expires_us);
  lease.by_token = grant.by_token;
  // Nobody but a new token, which comes with a review, can make one longer that a token allowed.
  const bool ends = grant.expires_us != kForeverUs && !grant.by_token;
  const std::int64_t lead =
      ends ? renewal_lead_us(grant.expires_us - now, parts_.config.access_deadline_ms) : 0;
  set_ask(book, lease, grant.expires_us - lead);
}

void Leases::take_up(Session& session, const std::string& topic, const Grant& grant) {
  Book* book = find_book(parts_.sessions.ref(session));
  if (book == nullptr) return;
  const auto found = book->leases.find(topic);
  if (found == book->leases.end() || !found->second.held) return;
  if (subscriptions_.find(session, topic)) {
    found->second.held.reset();
  } else {
    resume(*book, session, found->second, grant);
    schedule(*book);
  }
}

bool Leases::end(const Session& session, std::string_view topic) {
  Book* book = find_book(parts_.sessions.ref(session));
  if (book == nullptr) return false;
  const auto found = book->leases.find(topic);
  if (found == book->leases.end()) return false;
  const bool held = found->second.held.has_value();
  erase(*book, found->second);
  schedule(*book);
  return held;
}

void Leases::erase(Book& book, Lease& lease) {
  set_ask(book, lease, kForeverUs);
  set_end(book, lease, kForeverUs);
  book.leases.erase(book.leases.find(*lease.topic));
}

void Leases::forget(const Session& session) {
  Book* book = find_book(parts_.sessions.ref(session));
  if (book == nullptr) return;
  due_.erase({book->due_us, book});
  free_in_pieces(std::move(books_[session.slot]));
}

Leases::Book* Leases::find_book(SessionRef ref) const {
  if (ref.slot >= books_.size() || !books_[ref.slot]) return nullptr;
  return books_[ref.slot]->session == ref ? books_[ref.slot].get() : nullptr;
}

void Leases::set_ask(Book& book, Lease& lease, std::int64_t at_us) {
  if (lease.ask_us != kForeverUs) book.asks.erase({lease.ask_us, &lease});
  lease.ask_us = at_us;
  if (at_us != kForeverUs) book.asks.emplace(at_us, &lease);
}

void Leases::set_end(Book& book, Lease& lease, std::int64_t at_us) {
  if (lease.end_us != kForeverUs) book.ends.erase({lease.end_us, &lease});
  lease.end_us = at_us;
  if (at_us != kForeverUs) book.ends.emplace(at_us, &lease);
}

// --- what is due ----------------------------------------------------------------------------------------

void Leases::schedule(Book& book) {
  std::int64_t due = book.ends.empty() ? kForeverUs : book.ends.begin()->first;
  if (!book.asks.empty() && book.asking < kRenewalsAtOnceMax) due = std::min(due, book.asks.begin()->first);
  if (book.review && !book.review->asking) due = 0;
  if (due == book.due_us) return;
  due_.erase({book.due_us, &book});
  book.due_us = due;
  if (due != kForeverUs) due_.emplace(due, &book);
}

std::int64_t Leases::next_us() const {
  return due_.empty() ? -1 : due_.begin()->first;
}

void Leases::run() {
  const std::int64_t now = parts_.clock.steady_us();
  const Budget budget = parts_.jobs.budget();
  while (!due_.empty() && due_.begin()->first <= now && !budget.spent()) {
    Work::count(kStepWork);
    const SessionRef ref = due_.begin()->second->session;
    Session* session = parts_.sessions.find(ref);
    if (session == nullptr || session->state() != SessionState::kOpen) {
      due_.erase(due_.begin());
      free_in_pieces(std::move(books_[ref.slot]));
      continue;
    }
    step(*due_.begin()->second, *session);
    if (Book* book = find_book(ref)) schedule(*book);
    if (parts_.sessions.find(ref) != nullptr) sender_.send(*session);
  }
}

void Leases::free_in_pieces(std::unique_ptr<Book> closed) {
  parts_.jobs.add([book = std::shared_ptr<Book>(std::move(closed))](const Budget& budget) {
    while (!book->asks.empty() || !book->ends.empty() || !book->leases.empty()) {
      if (budget.spent()) return false;
      Work::count(2);
      if (!book->asks.empty()) book->asks.erase(book->asks.begin());
      if (!book->ends.empty()) book->ends.erase(book->ends.begin());
      if (!book->leases.empty()) book->leases.erase(book->leases.begin());
    }
    return true;
  });
}

void Leases::step(Book& book, Session& session) {
  const std::int64_t now = parts_.clock.steady_us();
  if (!book.ends.empty() && book.ends.begin()->first <= now) {
    Lease& lease = *book.ends.begin()->second;
    const std::string topic = *lease.topic;
    tell(parts_, session, topic, hold(book, session, lease));
  } else if (book.review && !book.review->asking) {
    review_piece(book, session);
  } else if (!book.asks.empty()) {
    ask(book, session, *book.asks.begin()->second);
  }
}

void Leases::ask(Book& book, Session& session, Lease& lease) {
  set_ask(book, lease, kForeverUs);
  lease.asking = true;
  ++book.asking;
  admission_.admit(session, {.action = Action::kSubscribe, .topics = {*lease.topic}, .counts = false},
                   [this](Session& holder, const Admission::Outcome& outcome) {
                     on_answer(holder, outcome.topics.front(), outcome.decisions.front());
                   });
}

void Leases::on_answer(Session& session, const std::string& topic, const Result<Grant>& decision) {
  Book* book = find_book(parts_.sessions.ref(session));
  if (book == nullptr) return;
  --book->asking;
  const auto found = book->leases.find(topic);
  if (found != book->leases.end() && std::exchange(found->second.asking, false)) {
    tell(parts_, session, topic, decide(*book, session, found->second, decision));
  }
  schedule(*book);
}

// --- what an answer does --------------------------------------------------------------------------------

std::optional<Error> Leases::decide(Book& book, Session& session, Lease& lease,
                                    const Result<Grant>& decision) {
  if (decision) return go_on(book, session, lease, *decision);
  if (decision.error().code == ErrorCode::kUnavailable) {
    // There is nobody to ask: a new token decides.
    if (parts_.access.check(Action::kSubscribe, *lease.topic) == Verdict::kTokenOnly) return std::nullopt;
    const std::int64_t pause = retry_after_us(++lease.attempts, *lease.topic, session.slot);
    set_ask(book, lease, parts_.clock.steady_us() + pause);
    return std::nullopt;
  }
  if (!lease.held) subscriptions_.unsubscribe(session, *lease.topic);
  erase(book, lease);
  return decision.error();
}

std::optional<Error> Leases::go_on(Book& book, Session& session, Lease& lease, const Grant& grant) {
  renew(book, lease, grant);
  const bool paced = std::exchange(lease.granted_pace_ms, grant.pace_ms) != grant.pace_ms;
  const std::uint16_t pace_ms = std::max(lease.asked_pace_ms, lease.granted_pace_ms);
  if (lease.held) {
    lease.held->pace_ms = pace_ms;
    return resume(book, session, lease, grant);
  }
  if (!subscriptions_.find(session, *lease.topic)) return std::nullopt;
  // What is subscribed to counts, which a command may have changed since this was asked.
  const bool same_part = same(subscriptions_.filter_of(session, *lease.topic), grant.filter);
  if (same_part && !paced) return std::nullopt;
  SubscribeOptions options;
  options.snapshot = !same_part;  // of another part it may be seen what could not be before
  options.pace_ms = pace_ms;
  options.granted_pace_ms = grant.pace_ms;
  const TopicResult result = subscriptions_.subscribe_alone(session, *lease.topic, grant.filter, options);
  if (result.error) erase(book, lease);
  return result.error;
}

std::optional<Error> Leases::hold(Book& book, Session& session, Lease& lease) {
  set_end(book, lease, kForeverUs);
  if (lease.held) return std::nullopt;
  const std::optional<SubscriptionIndex> index = subscriptions_.find(session, *lease.topic);
  if (!index) {
    erase(book, lease);
    return std::nullopt;
  }
  Held held;
  if (is_pattern_index(*index)) {
    held.pace_ms = session.patterns()[*index & ~kPatternBit].pace_ms;
  } else {
    const Subscription& subscription = session.exact()[*index];
    held.pace_ms = subscription.pace_ms;
    const bool event = parts_.topics.state(subscription.topic_id).is_event();
    // A pattern that covers the topic goes on with it.
    if (event && !subscription.fresh && !subscriptions_.is_covered(session, *lease.topic)) {
      held.seq = subscription.seq;
    }
  }
  lease.held = held;
  subscriptions_.unsubscribe(session, *lease.topic);
  return lease.by_token ? token_expired(*lease.topic) : cannot_say(*lease.topic);
}

std::optional<Error> Leases::resume(Book& book, Session& session, Lease& lease, const Grant& grant) {
  const Held held = *std::exchange(lease.held, std::nullopt);
  SubscribeOptions options;
  options.pace_ms = std::max(held.pace_ms, grant.pace_ms);
  options.granted_pace_ms = grant.pace_ms;
  options.same_epoch = true;
  SeqByTopic since;
  if (held.seq && !subscriptions_.is_covered(session, *lease.topic)) {
    since.emplace(*lease.topic, *held.seq);
    options.since = &since;
  }
  const TopicResult result = subscriptions_.subscribe_alone(session, *lease.topic, grant.filter, options);
  if (result.error) erase(book, lease);
  return result.error;
}

// --- a guard that is loaded later -----------------------------------------------------------------------

bool Leases::doubt(Session& session, const Pattern& guard, Place& place, const Budget& budget) {
  for (; place.exact < session.exact().size(); ++place.exact) {
    if (budget.spent()) return false;
    Work::count();
    const Subscription& each = session.exact()[place.exact];
    if (each.phase == Phase::kUnused || !each.asked) continue;
    const std::string_view name = parts_.topics.state(each.topic_id).topic->name;
    // A copy, since the name may end with its subscription.
    if (guard.matches(name)) doubt(session, std::string(name), each.pace_ms);
  }
  for (; place.pattern < session.patterns().size(); ++place.pattern) {
    if (budget.spent()) return false;
    Work::count();
    const PatternSubscription& each = session.patterns()[place.pattern];
    if (each.phase == Phase::kUnused || each.ending()) continue;
    const Pattern& pattern = parts_.topics.pattern(each.pattern_id).pattern;
    if (guard.overlaps(pattern)) doubt(session, std::string(pattern.text()), each.pace_ms);
  }
  return true;
}

void Leases::doubt(Session& session, const std::string& topic, std::uint16_t pace_ms) {
  Work::count(kStepWork);
  const std::int64_t now = parts_.clock.steady_us();
  const std::int64_t end = now + parts_.config.access_deadline_ms * 1000;
  Book* book = find_book(parts_.sessions.ref(session));
  const bool kept = book != nullptr && book->leases.contains(topic);
  if (!kept && !keep(session, topic, {.guarded = true, .expires_us = end}, pace_ms)) {
    subscriptions_.unsubscribe(session, topic);
    return tell(parts_, session, topic, too_many_guarded(parts_.config.session.subscriptions_max));
  }
  book = find_book(parts_.sessions.ref(session));
  Lease& lease = book->leases.find(topic)->second;
  lease.by_token = false;
  set_end(*book, lease, std::min(lease.end_us, end));
  if (!lease.asking) set_ask(*book, lease, now);
  schedule(*book);
}

// --- review ---------------------------------------------------------------------------------------------

void Leases::review(Session& session, Reviewed done) {
  Book* book = find_book(parts_.sessions.ref(session));
  if (book == nullptr || book->leases.empty()) return done(session, {});
  const std::int64_t deadline = parts_.clock.steady_us() + parts_.config.access_deadline_ms * 1000;
  Review review;
  review.done = std::move(done);
  review.deadline_us = deadline;
  book->review = std::move(review);
  review_piece(*book, session);
  if ((book = find_book(parts_.sessions.ref(session))) != nullptr) schedule(*book);
}

void Leases::review_piece(Book& book, Session& session) {
  Review& review = *book.review;
  std::vector<std::string> topics;
  for (auto at = book.leases.upper_bound(review.after);
       at != book.leases.end() && topics.size() < kReviewPiece; ++at) {
    topics.push_back(at->first);
  }
  if (topics.empty()) {
    Review done = *std::exchange(book.review, std::nullopt);
    return done.done(session, std::move(done.notices));
  }
  review.after = topics.back();
  Work::count(topics.size() * kTopicWork);
  if (parts_.clock.steady_us() >= review.deadline_us) {
    const Admission::Decisions late(topics.size(), cannot_say(""));
    return decide_reviewed(session, topics, late);
  }
  review.asking = true;
  admission_.admit(session, {.action = Action::kSubscribe, .topics = std::move(topics), .counts = false},
                   [this](Session& holder, const Admission::Outcome& outcome) {
                     decide_reviewed(holder, outcome.topics, outcome.decisions);
                   });
}

void Leases::decide_reviewed(Session& session, const std::vector<std::string>& topics,
                             const Admission::Decisions& decisions) {
  Book* book = find_book(parts_.sessions.ref(session));
  if (book == nullptr || !book->review) return;
  book->review->asking = false;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const auto found = book->leases.find(topics[i]);
    if (found == book->leases.end()) continue;
    Lease& lease = found->second;
    std::optional<Error> error = decide(*book, session, lease, decisions[i]);
    // What the claims of before allowed ends with them.
    const bool open = !decisions[i] && decisions[i].error().code == ErrorCode::kUnavailable;
    if (open) error = hold(*book, session, lease);
    if (error) book->review->notices.push_back({topics[i], *error});
  }
  schedule(*book);
}

}  // namespace tickwire
