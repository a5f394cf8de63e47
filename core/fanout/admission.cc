#include "fanout/admission.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/work.h"
#include "fanout/offload.h"

namespace tickwire {

Error error_about(ErrorCode code, std::string_view topic, std::string_view reason) {
  const bool token = topic.empty();
  return {code, (token ? "token" : shown_topic(topic)) + ": " + std::string(reason), token ? "token" : ""};
}

Error denied_about(std::string_view topic, std::string_view reason) {
  return error_about(ErrorCode::kDenied, topic, reason.empty() ? "not allowed" : reason);
}

Error unavailable_about(std::string_view topic, std::string_view reason) {
  return error_about(ErrorCode::kUnavailable, topic, reason.empty() ? "nobody could say" : reason);
}

namespace {

// What Verdict::kDeny means for `action`.
Error refused(Action action, std::string_view topic) {
  switch (action) {
    case Action::kAuthenticate:
      return unavailable_about("", "this server has no authenticator");
    case Action::kPublish:
      return denied_about(
          topic, "publishing is not allowed; auth.publish in the server's configuration says who may");
    case Action::kSubscribe:
      break;
  }
  return denied_about(topic, "");
}

// An open topic costs a fraction of a step.
constexpr std::size_t kLooksPerStep = 8;
// A question goes to the plugins, or its answer comes from there.
constexpr std::uint64_t kQuestionSteps = 4;

bool may_be_withdrawn(const AdmissionRequest& request) {
  return request.action == Action::kSubscribe && request.counts && !request.once;
}

}  // namespace

struct Admission::Waiting {
  AdmissionRequest request;
  Decisions decisions;
  Then then;
  Share room;
  std::size_t prepared = 0;              // topics that were looked at
  std::size_t patterns = 0;              // of those, guarded patterns
  std::size_t awaited = 0;               // topics that are among the desk's names
  std::vector<std::uint32_t> questions;  // of the prepared, the topics to ask about, by index
  std::size_t asked = 0;                 // of those
  std::size_t open = 0;                  // asked and not answered
  std::uint32_t round = 0;               // counts reconsider()
  std::uint64_t since = 0;               // the session's withdrawals before it
  std::uint64_t guards = 0;              // as in Outcome
};

Admission::WaitingPtr Admission::newcomer(AdmissionRequest request, Then then) {
  const auto waiting = std::make_shared<Waiting>();
  waiting->request = std::move(request);
  waiting->then = std::move(then);
  waiting->decisions.assign(waiting->request.topics.size(), Grant{});
  return waiting;
}

Admission::Entered Admission::admit(Session& session, AdmissionRequest request, Then then) {
  return enter(session, newcomer(std::move(request), std::move(then)), Budget::unlimited());
}

Admission::Entered Admission::enter(Session& session, const WaitingPtr& waiting, const Budget& budget) {
  const SessionRef ref = parts_.sessions.ref(session);
  const AdmissionRequest& request = waiting->request;
  if (!prepare(session, find_desk(ref), *waiting, budget)) return Entered::kNotYet;
  if (waiting->questions.empty()) {
    Outcome outcome{.topics = std::move(waiting->request.topics),
                    .decisions = std::move(waiting->decisions),
                    .room = {},
                    .guards = waiting->guards};
    waiting->then(session, outcome);
    return Entered::kEntered;
  }
  Desk& desk = desk_of(session);
  if (request.counts && !waiting->room.counts()) {
    if (commands_waiting(desk) >= parts_.config.session.commands_pending_max) return Entered::kTooMany;
    if (!take_room(desk, session, *waiting)) return Entered::kNoRoom;
  }
  while (may_be_withdrawn(request) && waiting->awaited < request.topics.size()) {
    if (budget.spent()) return Entered::kNotYet;
    desk.names.add(request.topics[waiting->awaited++]);
  }
  waiting->since = desk.names.withdrawals();
  desk.waiting.push_back(waiting);
  advance(ref);
  return Entered::kEntered;
}

bool Admission::take_room(const Desk& desk, const Session& session, Waiting& waiting) {
  std::size_t held = waiting.request.bytes;
  for (const WaitingPtr& other : desk.waiting) held += other->room.held();
  std::optional<Limit> limit;
  if (held > parts_.waiting_bytes.limits().per_holder) limit = Limit::kWaitingPerSession;
  waiting.room = Share(parts_.waiting_bytes, session.client.address);
  if (!limit) limit = waiting.room.resize(waiting.request.bytes);
  if (limit) parts_.counters.count(*limit);
  return !limit;
}

bool Admission::prepare(const Session& session, const Desk* desk, Waiting& waiting,
                        const Budget& budget) const {
  const Action action = waiting.request.action;
  if (waiting.prepared == 0) waiting.guards = parts_.guards;
  const bool unjudged = waiting.request.counts && desk != nullptr && !desk->unjudged.empty();
  for (; waiting.prepared < waiting.decisions.size() && !budget.spent(); ++waiting.prepared) {
    const std::size_t i = waiting.prepared;
    if (i % kLooksPerStep == 0) Work::count();
    const std::string& topic = waiting.request.topics[i];
    Result<Grant>& decision = waiting.decisions[i];
    decision = Grant{};
    // What carries the command out says what is wrong with it; nobody is asked about such a name.
    if (action != Action::kAuthenticate && !is_valid_pattern(topic)) continue;
    const Verdict verdict = parts_.access.check(action, topic);
    if (verdict == Verdict::kAllow) continue;
    Work::count();
    if (verdict == Verdict::kDeny) {
      decision = refused(action, topic);
    } else if (is_pattern(topic) && ++waiting.patterns > parts_.config.session.patterns_max) {
      // A session could not have them all, and the part of each that it may see takes memory.
      decision = Error{ErrorCode::kTooMany, "topics: too many guarded patterns in one command", "topics",
                       Limit::kPatternsPerSession};
    } else if (auto decided = decide_by_token(session, waiting.request, topic, verdict)) {
      decision = std::move(*decided);
    } else if (unjudged) {
      decision = unavailable_about(topic, "the session's token could not be judged; send auth again");
    } else {
      waiting.questions.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return waiting.prepared == waiting.decisions.size();
}

std::size_t Admission::commands_waiting(const Desk& desk) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(desk.waiting, [](const WaitingPtr& waiting) { return waiting->request.counts; }));
}

// --- asking ---------------------------------------------------------------------------------------------

bool Admission::ask(Desk& desk, const Budget& budget) {
  for (const WaitingPtr& waiting : desk.waiting) {
    if (desk.open >= kSessionQuestionsMax) return true;
    const bool prepared = prepare(*parts_.sessions.find(desk.session), &desk, *waiting, budget);
    for (; waiting->asked < waiting->questions.size(); ++waiting->asked) {
      if (budget.spent()) return false;
      const std::uint32_t index = waiting->questions[waiting->asked];
      Work::count();
      if (is_withdrawn(desk, *waiting, index)) continue;
      if (desk.open >= kSessionQuestionsMax) {
        if (!std::exchange(desk.in_line, true)) parts_.counters.count(Limit::kSessionQuestions);
        return true;
      }
      ask_one(desk, waiting, index);
    }
    if (!prepared) return false;
  }
  desk.in_line = false;
  return true;
}

void Admission::ask_one(Desk& desk, const WaitingPtr& waiting, std::uint32_t index) {
  Work::count(kQuestionSteps);
  const AdmissionRequest& request = waiting->request;
  std::shared_ptr<const ClientInfo>& client = desk.client;
  if (!client) client = std::make_shared<const ClientInfo>(parts_.sessions.find(desk.session)->client);
  AccessQuestion question{(std::uint64_t{parts_.config.index} << 48U) | next_id_++, parts_.config.index,
                          request.action, request.topics[index], client};
  if (request.action == Action::kAuthenticate) {
    ClientInfo bearer = *client;
    bearer.token = request.token;
    question.client = std::make_shared<const ClientInfo>(std::move(bearer));
  }
  const std::uint64_t id = question.id;
  if (const Status asked = parts_.access.ask(std::move(question)); !asked) {
    if (asked.error().limit) parts_.counters.count(*asked.error().limit);
    waiting->decisions[index] = unavailable_about(request.topics[index], asked.error().message);
    return;
  }
  const std::int64_t now = parts_.clock.steady_us();
  open_.emplace(id, Open{desk.session, waiting, index, waiting->round, now});
  deadlines_.emplace_back(now + parts_.config.access_deadline_ms * 1000, id);
  ++waiting->open;
  ++desk.open;
}

// What was decided waits for the commands before it, however soon an authorizer answers for each: of two
// updates or two subscribes of a topic the later one counts.
bool Admission::may_go_on(const Desk& desk, const Waiting& waiting) {
  const bool prepared = waiting.prepared == waiting.decisions.size();
  if (!prepared || waiting.open > 0 || waiting.asked < waiting.questions.size()) return false;
  if (!waiting.request.counts) return true;
  const auto is_command = [](const WaitingPtr& other) { return other->request.counts; };
  return std::ranges::find_if(desk.waiting, is_command)->get() == &waiting;
}

void Admission::advance(SessionRef ref) {
  const Budget budget = parts_.jobs.budget();
  while (Desk* desk = find_desk(ref)) {
    Session* session = parts_.sessions.find(ref);
    if (session == nullptr || session->state() != SessionState::kOpen) return;
    if (!ask(*desk, budget) && !std::exchange(desk->goes_on, true)) go_on(ref);
    const auto decided = std::ranges::find_if(
        desk->waiting, [desk](const WaitingPtr& waiting) { return may_go_on(*desk, *waiting); });
    if (decided == desk->waiting.end()) return drop_if_idle(ref);
    const WaitingPtr done = std::move(*decided);
    desk->waiting.erase(decided);
    Outcome outcome{std::move(done->request.topics),
                    std::move(done->decisions),
                    std::move(done->room),
                    done->awaited,
                    done->since,
                    done->guards};
    done->then(*session, outcome);
    if (parts_.sessions.find(ref) != nullptr) sender_.send(*session);
  }
}

void Admission::drop_if_idle(SessionRef ref) {
  const Desk* desk = find_desk(ref);
  if (desk == nullptr || !desk->waiting.empty() || desk->open > 0) return;
  if (desk->unjudged.empty() && desk->names.empty()) desks_[ref.slot].reset();
}

void Admission::go_on(SessionRef ref) {
  parts_.jobs.add([this, ref](const Budget& /*advance() has its own*/) {
    Desk* desk = find_desk(ref);
    if (desk == nullptr) return true;
    desk->goes_on = false;
    advance(ref);
    return true;
  });
}

// --- answers --------------------------------------------------------------------------------------------

void Admission::answer(const AccessAnswer& answer) {
  const auto found = open_.find(answer.id);
  if (found == open_.end()) return;
  const Open open = std::move(found->second);
  open_.erase(found);
  parts_.counters.answers.add(static_cast<std::size_t>(answer.ruling));
  parts_.counters.plugin_call.observe(parts_.clock.steady_us() - open.asked_us);
  Desk* desk = find_desk(open.session);
  if (desk == nullptr) return;
  --desk->open;
  Waiting& waiting = *open.waiting;
  if (waiting.round == open.round) {
    --waiting.open;
    const Session* const session = parts_.sessions.find(open.session);
    if (session == nullptr) return;
    const std::string& topic = waiting.request.topics[open.index];
    waiting.decisions[open.index] = decision_of(*session, waiting.request.action, topic, answer);
  }
  advance(open.session);
}

void Admission::expire() {
  const std::int64_t now = parts_.clock.steady_us();
  const Budget budget = parts_.jobs.budget();
  while (!deadlines_.empty() && deadlines_.front().first <= now && !budget.spent()) {
    const std::uint64_t id = deadlines_.front().second;
    deadlines_.pop_front();
    Work::count();
    if (!open_.contains(id)) continue;
    Work::count(kQuestionSteps);
    parts_.access.close(id);
    answer({.id = id,
            .ruling = Ruling::kUnavailable,
            .text = "no answer within " + std::to_string(parts_.config.access_deadline_ms) + " ms"});
  }
}

std::int64_t Admission::next_deadline_us() {
  while (!deadlines_.empty() && !open_.contains(deadlines_.front().second)) deadlines_.pop_front();
  return deadlines_.empty() ? -1 : deadlines_.front().first;
}

// --- what changes meanwhile -----------------------------------------------------------------------------

void Admission::begin_withdrawal(const Session& session) {
  if (Desk* desk = find_desk(parts_.sessions.ref(session))) desk->names.begin_withdrawal();
}

bool Admission::withdraw(const Session& session, std::string_view topic) {
  Desk* desk = find_desk(parts_.sessions.ref(session));
  return desk != nullptr && desk->names.withdraw(topic);
}

bool Admission::is_withdrawn(const Desk& desk, const Waiting& waiting, std::size_t index) {
  return waiting.awaited > 0 && desk.names.is_withdrawn(waiting.request.topics[index], waiting.since);
}

bool Admission::settle(const Session& session, Outcome& outcome, const Budget& budget) {
  const SessionRef ref = parts_.sessions.ref(session);
  Desk* const desk = find_desk(ref);  // there while names are awaited
  for (; outcome.awaited > 0; --outcome.awaited) {
    if (budget.spent()) return false;
    const std::size_t i = outcome.topics.size() - outcome.awaited;
    const std::string& topic = outcome.topics[i];
    if (!desk->names.remove(topic, outcome.since)) continue;
    outcome.decisions[i] =
        Error{ErrorCode::kNotSubscribed, shown_topic(topic) + ": unsubscribed before it was allowed", ""};
  }
  drop_if_idle(ref);
  return true;
}

void Admission::reconsider(Session& session) {
  const SessionRef ref = parts_.sessions.ref(session);
  Desk* desk = find_desk(ref);
  if (desk == nullptr) return;
  desk->client.reset();
  for (const WaitingPtr& waiting : desk->waiting) {
    if (waiting->request.action == Action::kAuthenticate) continue;
    ++waiting->round;
    waiting->open = 0;
    waiting->asked = 0;
    waiting->prepared = 0;
    waiting->patterns = 0;
    waiting->questions.clear();
  }
  advance(ref);
}

void Admission::set_unjudged(Session& session, const std::string& token) {
  if (token.empty() && find_desk(parts_.sessions.ref(session)) == nullptr) return;
  Desk& desk = desk_of(session);
  desk.unjudged = token;
  desk.unjudged_us = parts_.clock.steady_us();
}

std::string Admission::token_to_judge(const Session& session) const {
  const ClientInfo& client = session.client;
  const Desk* desk = find_desk(parts_.sessions.ref(session));
  if (desk != nullptr && !desk->unjudged.empty()) {
    const bool due = parts_.clock.steady_us() - desk->unjudged_us >= kJudgeAgainMs * 1000;
    return due ? desk->unjudged : "";
  }
  // Nobody judged it when it came: the authenticator was loaded later.
  const bool judged = client.token.empty() || !client.claims.empty();
  return judged || parts_.access.check(Action::kAuthenticate, "") == Verdict::kDeny ? "" : client.token;
}

void Admission::forget(const Session& session) {
  grants_.forget(parts_.sessions.ref(session));
  Desk* desk = find_desk(parts_.sessions.ref(session));
  if (desk == nullptr) return;
  struct Gone {
    std::unique_ptr<Desk> desk;
    std::vector<Waiting> waiting;
  };
  Gone gone;
  std::size_t names = 0;
  for (const WaitingPtr& waiting : desk->waiting) {
    names += waiting->request.topics.size();
    // The questions keep it, empty, until they are answered or late.
    gone.waiting.push_back(std::exchange(*waiting, Waiting{}));
  }
  gone.desk = std::move(desks_[session.slot]);
  const auto freed = shared_names(parts_.config.offload, names, std::move(gone));
}

Admission::Desk* Admission::find_desk(SessionRef ref) const {
  if (ref.slot >= desks_.size() || !desks_[ref.slot]) return nullptr;
  return desks_[ref.slot]->session == ref ? desks_[ref.slot].get() : nullptr;
}

Admission::Desk& Admission::desk_of(const Session& session) {
  if (session.slot >= desks_.size()) desks_.resize(session.slot + 1);
  std::unique_ptr<Desk>& desk = desks_[session.slot];
  if (!desk) {
    desk = std::make_unique<Desk>();
    desk->session = parts_.sessions.ref(session);
  }
  return *desk;
}

}  // namespace tickwire
