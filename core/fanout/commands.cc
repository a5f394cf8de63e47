#include "fanout/commands.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/work.h"
#include "fanout/subscribe_run.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

// Parsing takes some 50 ns a byte at worst.
constexpr std::size_t kBytesAStep = 8;

Error denied(std::string_view topic, std::string_view reason) {
  const std::string what = topic.empty() ? "" : std::string(topic) + ": ";
  return {ErrorCode::kDenied, what + (reason.empty() ? "not allowed" : std::string(reason)), ""};
}

// `answer` does not allow it.
Error refusal(std::string_view topic, const AccessAnswer& answer) {
  Error error = denied(topic, answer.text);
  if (answer.overload) error.code = ErrorCode::kTooMany;
  return error;
}

// `command` outlives them.
SubscribeOptions options_of(const SubscribeCommand& command, std::string_view epoch) {
  SubscribeOptions options;
  options.snapshot = command.snapshot;
  options.last = command.last;
  options.since = command.epoch.empty() ? nullptr : &command.since;
  options.same_epoch = command.epoch == epoch;
  if (command.max_rate > 0) {
    static_assert(1000 / kMaxRateMin < UINT16_MAX);
    options.pace_ms = static_cast<std::uint16_t>(std::ceil(1000 / command.max_rate));
  }
  return options;
}

}  // namespace

void Commands::run(Session& session, std::string_view message) {
  if (session.state() != SessionState::kOpen) return;
  if (session.authenticating || session.working()) {
    session.parked.emplace_back(message);
    return;
  }
  do_now(session, message);
  sender_.send(session);
}

void Commands::do_now(Session& session, std::string_view message) {
  const std::uint64_t before = Work::done();
  Work::count(1 + message.size() / kBytesAStep);
  std::string id;
  const Result<Command> command = parse_command(message, id, session.format);
  if (command) {
    execute(session, *command);
  } else {
    session.send(encode_error(id, command.error()));
  }
  if (session.steps_run != parts_.runs) session.steps = 0;
  session.steps_run = parts_.runs;
  session.steps += Work::done() - before;
  // What it sends on top of that waits for the next piece.
  if (session.steps >= parts_.config.piece_steps && !session.working())
    work_later(session, [](Session&, const Budget&) { return true; });
}

void Commands::work(Session& session, Piece piece) {
  if (session.working() || !piece(session, parts_.jobs.budget())) work_later(session, std::move(piece));
}

void Commands::work_later(Session& session, Piece piece) {
  session.hold_reading(true);
  const std::uint32_t number = session.works_begun++;
  const SessionRef ref = parts_.sessions.ref(session);
  parts_.jobs.add([this, ref, number, piece = std::move(piece)](const Budget& budget) {
    Session* worker = parts_.sessions.find(ref);
    if (worker == nullptr || worker->state() != SessionState::kOpen) return true;
    if (worker->works_done != number) return false;  // it has others to do first
    const bool done = piece(*worker, budget);
    if (done) ++worker->works_done;
    sender_.send(*worker);
    if (done) go_on(*worker);
    return done;
  });
}

// With the commands that waited for one before them.
void Commands::go_on(Session& session) {
  const Budget budget = parts_.jobs.budget();
  std::size_t next = 0;
  const auto may = [&] {
    return session.state() == SessionState::kOpen && !session.authenticating && !session.working();
  };
  for (; next < session.parked.size() && may(); ++next) {
    if (budget.spent()) {
      work_later(session, [](Session&, const Budget&) { return true; });
      break;
    }
    const std::string message = std::move(session.parked[next]);
    do_now(session, message);
    sender_.send(session);
  }
  session.parked.erase(session.parked.begin(), session.parked.begin() + static_cast<std::ptrdiff_t>(next));
  session.hold_reading(session.authenticating || session.working());
}

void Commands::execute(Session& session, const Command& command) {
  const std::string& id = command.id;
  if (const auto* subscribe_to = std::get_if<SubscribeCommand>(&command.body)) {
    subscribe(session, id, *subscribe_to);
  } else if (const auto* leave = std::get_if<UnsubscribeCommand>(&command.body)) {
    unsubscribe(session, id, *leave);
  } else if (const auto* message = std::get_if<PublishCommand>(&command.body)) {
    publish(session, id, *message);
  } else if (const auto* query = std::get_if<ListCommand>(&command.body)) {
    list(session, id, *query);
  } else if (const auto* auth = std::get_if<AuthCommand>(&command.body)) {
    session.client.token = auth->token;
    authenticate(session, id);
  } else {
    session.send(encode_pong(id, parts_.clock.wall_ms()));
  }
}

void Commands::refuse(Session& session, const std::string& id, const Error& error, std::string_view topic) {
  session.send(encode_error(id, error, topic));
}

bool Commands::begin_pending(Session& session, const std::string& id) {
  const std::size_t limit = parts_.config.session.commands_pending_max;
  if (session.commands_pending < limit) {
    ++session.commands_pending;
    return true;
  }
  refuse(session, id,
         {ErrorCode::kTooMany,
          std::to_string(limit) + " commands of this session wait for an authorizer, that is the limit", ""});
  return false;
}

// --- subscribe ------------------------------------------------------------------------------------------

void Commands::subscribe(Session& session, const std::string& id, const SubscribeCommand& command) {
  const auto pending = std::make_shared<Pending>();
  pending->session = parts_.sessions.ref(session);
  pending->id = id;
  pending->command = command;
  pending->options = options_of(pending->command, parts_.config.epoch);
  pending->errors.resize(command.topics.size());
  pending->ttl_ms.resize(command.topics.size());
  if (!ask_about(session, pending)) finish_subscribe(session, pending);
}

// True when an authorizer was asked about some topic (or too many commands wait already, which is answered).
bool Commands::ask_about(Session& session, const std::shared_ptr<Pending>& pending) {
  std::vector<std::size_t> questions;
  for (std::size_t i = 0; i < pending->command.topics.size(); ++i) {
    const std::string& topic = pending->command.topics[i];
    if (Result<Pattern> valid = Pattern::parse(topic); !valid) {
      pending->errors[i] = valid.error();
      continue;
    }
    switch (parts_.access.check(Action::kSubscribe, topic)) {
      case Verdict::kAllow:
        break;
      case Verdict::kDeny:
        pending->errors[i] = denied(topic, "");
        break;
      case Verdict::kAsk:
        questions.push_back(i);
        break;
    }
  }
  if (questions.empty()) return false;
  if (!begin_pending(session, pending->id)) return true;
  pending->open = questions.size();
  std::erase_if(pending_, [](const std::weak_ptr<Pending>& entry) { return entry.expired(); });
  pending_.push_back(pending);
  for (const std::size_t i : questions) {
    const std::string& topic = pending->command.topics[i];
    desk_.ask(Action::kSubscribe, topic, session, [this, pending, i](const AccessAnswer& answer) {
      if (!answer.allow) pending->errors[i] = refusal(pending->command.topics[i], answer);
      pending->ttl_ms[i] = answer.ttl_ms;
      if (--pending->open > 0) return;
      Session* asker = parts_.sessions.find(pending->session);
      if (asker == nullptr || asker->state() != SessionState::kOpen) return;
      --asker->commands_pending;
      finish_subscribe(*asker, pending);
      sender_.send(*asker);
    });
  }
  return true;
}

void Commands::finish_subscribe(Session& session, const std::shared_ptr<Pending>& pending) {
  struct Progress {
    std::optional<SubscribeRun> run;
    std::size_t granted = 0;
    std::size_t released = 0;
  };
  const auto progress = std::make_shared<Progress>();
  progress->run.emplace(parts_, subscriptions_, pending->command, pending->options, pending->errors);
  work(session, [this, pending, progress](Session& asker, const Budget& budget) {
    if (progress->run) {
      if (!progress->run->run(asker, budget)) return false;
      const std::vector<TopicResult>& results = progress->run->results();
      for (std::size_t& i = progress->granted; i < results.size(); ++i) {
        if (budget.spent()) return false;
        Work::count(2);
        if (!results[i].error) keep_grant({pending->session, results[i].topic}, pending->ttl_ms[i]);
      }
      asker.send(encode_ack(pending->id, results));
      progress->run.reset();
    }
    return subscriptions_.release(asker, progress->released, budget);
  });
}

void Commands::keep_grant(const Grant& grant, std::int64_t ttl_ms) {
  if (ttl_ms <= 0) return grants_.forget(grant);
  grants_.expire_at(parts_.clock.steady_us() + ttl_ms * 1000, grant);
}

void Commands::renew_grants() {
  for (const Grant& grant : grants_.take_expired(parts_.clock.steady_us())) {
    Session* session = parts_.sessions.find(grant.session);
    if (session == nullptr || session->state() != SessionState::kOpen) continue;
    if (!subscriptions_.find(*session, grant.topic)) continue;
    desk_.ask(Action::kSubscribe, grant.topic, *session, [this, grant](const AccessAnswer& answer) {
      Session* holder = parts_.sessions.find(grant.session);
      if (holder == nullptr || holder->state() != SessionState::kOpen) return;
      if (answer.allow) return keep_grant(grant, answer.ttl_ms);
      if (answer.overload) return keep_grant(grant, kRenewalRetryMs);
      if (subscriptions_.unsubscribe(*holder, grant.topic).error) return;
      refuse(*holder, "", refusal(grant.topic, answer), grant.topic);
      sender_.send(*holder);
    });
  }
}

void Commands::unsubscribe(Session& session, const std::string& id, const UnsubscribeCommand& command) {
  struct Progress {
    std::string id;
    std::vector<std::string> topics;
    std::unordered_set<std::string_view> waited;  // of `topics`
    std::vector<TopicResult> results;
  };
  const auto progress = std::make_shared<Progress>(Progress{id, command.topics, {}, {}});
  progress->waited = take_back(session, progress->topics);
  work(session, [this, progress](Session& asker, const Budget& budget) {
    std::vector<TopicResult>& results = progress->results;
    while (results.size() < progress->topics.size()) {
      if (budget.spent()) return false;
      Work::count();
      const std::string& topic = progress->topics[results.size()];
      TopicResult result = subscriptions_.unsubscribe(asker, topic);
      if (!result.error) grants_.forget({parts_.sessions.ref(asker), topic});
      if (progress->waited.contains(topic)) result.error.reset();
      results.push_back(std::move(result));
    }
    asker.send(encode_ack(progress->id, results));
    return true;
  });
}

std::unordered_set<std::string_view> Commands::take_back(const Session& session,
                                                         const std::vector<std::string>& topics) {
  std::unordered_set<std::string_view> waited;
  if (session.commands_pending == 0) return waited;
  const std::unordered_set<std::string_view> leaving(topics.begin(), topics.end());
  for (const std::weak_ptr<Pending>& entry : pending_) {
    const std::shared_ptr<Pending> pending = entry.lock();
    if (!pending || parts_.sessions.find(pending->session) != &session) continue;
    for (std::size_t i = 0; i < pending->command.topics.size(); ++i) {
      const auto topic = leaving.find(pending->command.topics[i]);
      if (topic == leaving.end()) continue;
      pending->errors[i] =
          Error{ErrorCode::kNotSubscribed, std::string(*topic) + ": unsubscribed before it was allowed", ""};
      waited.insert(*topic);
    }
  }
  return waited;
}

// --- publish, list, auth --------------------------------------------------------------------------------

void Commands::publish(Session& session, const std::string& id, const PublishCommand& command) {
  if (Status valid = check_topic(command.topic); !valid) return refuse(session, id, valid.error());
  switch (parts_.access.check(Action::kPublish, command.topic)) {
    case Verdict::kAllow:
      return finish_publish(session, id, command);
    case Verdict::kDeny:
      return refuse(session, id, denied(command.topic, "publishing is not allowed"));
    case Verdict::kAsk:
      break;
  }
  if (!begin_pending(session, id)) return;
  const SessionRef ref = parts_.sessions.ref(session);
  desk_.ask(Action::kPublish, command.topic, session, [this, ref, id, command](const AccessAnswer& answer) {
    Session* asker = parts_.sessions.find(ref);
    if (asker == nullptr || asker->state() != SessionState::kOpen) return;
    --asker->commands_pending;
    if (answer.allow) {
      finish_publish(*asker, id, command);
    } else {
      refuse(*asker, id, refusal(command.topic, answer));
    }
    sender_.send(*asker);
  });
}

void Commands::finish_publish(Session& session, const std::string& id, const PublishCommand& command) {
  const Result<UpdatePtr> update = parts_.hub.publish(command.topic, command.data);
  if (!update) return refuse(session, id, update.error());
  session.send(encode_ack(id, {{command.topic, (*update)->seq(), {}}}));
}

void Commands::list(Session& session, const std::string& id, const ListCommand& command) {
  const Result<Pattern> pattern = Pattern::parse(command.pattern);
  if (!pattern) return refuse(session, id, pattern.error());
  struct Progress {
    std::string id;
    Pattern pattern;
    std::string after;
    std::size_t limit;
    std::vector<std::string> topics;
  };
  const auto progress = std::make_shared<Progress>(Progress{id, *pattern, command.after, command.limit, {}});
  work(session, [this, progress](Session& asker, const Budget& budget) {
    std::vector<std::string>& topics = progress->topics;
    bool end = false;
    while (!end && topics.size() <= progress->limit) {
      if (budget.spent()) return false;
      std::vector<UpdatePtr> found;
      end = parts_.hub.list(progress->pattern, progress->after, progress->limit + 1 - topics.size(), budget,
                            found);
      for (const UpdatePtr& update : found) {
        const std::string& name = update->topic().name;
        // A guarded topic's name is its authorizer's to tell.
        if (parts_.access.check(Action::kSubscribe, name) == Verdict::kAllow) topics.push_back(name);
      }
    }
    const bool more = topics.size() > progress->limit;
    if (more) topics.pop_back();
    asker.send(encode_list(progress->id, topics, more ? topics.back() : ""));
    return true;
  });
}

void Commands::authenticate(Session& session, const std::string& id) {
  if (parts_.access.check(Action::kAuthenticate, "") != Verdict::kAsk) {
    refuse(session, id, {ErrorCode::kUnavailable, "token: this server has no authenticator", "token"});
    return;
  }
  session.authenticating = true;
  session.hold_reading(true);
  const SessionRef ref = parts_.sessions.ref(session);
  desk_.ask(Action::kAuthenticate, "", session, [this, ref, id](const AccessAnswer& answer) {
    Session* asker = parts_.sessions.find(ref);
    if (asker != nullptr && asker->state() == SessionState::kOpen) on_claims(*asker, id, answer);
  });
}

void Commands::on_claims(Session& session, const std::string& id, const AccessAnswer& answer) {
  session.authenticating = false;
  if (answer.allow) {
    session.client.claims = answer.text;
    session.send(encode_auth_ack(id));
  } else {
    refuse(session, id, refusal("token", answer));
  }
  sender_.send(session);
  go_on(session);
}

}  // namespace tickwire
