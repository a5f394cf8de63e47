#include "fanout/commands.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "base/work.h"
#include "fanout/offload.h"
#include "fanout/pace_grid.h"
#include "fanout/subscribe_run.h"
#include "protocol/ack.h"
#include "protocol/encode.h"
#include "protocol/salvage.h"

namespace tickwire {
namespace {

// Parsing takes some 50 ns a byte at worst.
constexpr std::size_t kBytesAStep = 8;
// What a name takes while its command waits, besides its bytes in the message. With them the largest command
// that there is (2 MiB, 10,000 topics, `since` of 100,000) fits into the share of one connection.
constexpr std::size_t kWaitingTopicBytes = 80;
constexpr std::size_t kWaitingSinceBytes = 12;

// `command` outlives them.
SubscribeOptions options_of(const SubscribeCommand& command, const ShardParts& parts) {
  SubscribeOptions options;
  options.snapshot = command.snapshot;
  options.last = command.snapshot ? command.last : 0;  // they come instead of the snapshot
  options.since = command.epoch.empty() ? nullptr : &command.since;
  options.same_epoch = command.epoch == parts.epoch;
  options.last_epoch = options.since != nullptr && command.epoch == parts.hub.last_epoch();
  options.pace_ms = pace_ms_of(command.max_rate);
  return options;
}

Error cut_off() {
  return {
      ErrorCode::kUnavailable,
      "since: this server is cut off from the others and may be behind the client; try another one, or later",
      "since"};
}

// Of a large message, to find its id.
constexpr std::size_t kSalvagedBytesMax = 4'096;

// A client that goes on from a cursor is told of each name whether it does.
void say_recovered(const SubscribeCommand& command, TopicResult& result) {
  if (result.error || (result.recovered && !(command.cut && is_pattern(result.topic)))) return;
  result.recovered = false;
  result.missed.reset();
}

Activity activity_of(const Command& command) {
  static constexpr std::array kActivities{Activity::kSubscribe, Activity::kUnsubscribe, Activity::kPublish,
                                          Activity::kList,      Activity::kGet,         Activity::kAuth,
                                          Activity::kPing};
  static_assert(kActivities.size() == std::variant_size_v<decltype(Command::body)>);
  return kActivities.at(command.body.index());
}

}  // namespace

void Commands::run(Session& session, std::string_view message) {
  if (session.state() != SessionState::kOpen) return;
  const auto over = rates_.take(session, Rated::kCommand, parts_.clock.steady_us());
  if (!over) return queue_.take(session, message);
  // Of a large one only the head is looked at, which mostly has the id.
  refuse(session, salvage(session.framing.format, message.substr(0, kSalvagedBytesMax)).id, *over);
  sender_.send(session);
}

void Commands::read(Session& session, std::string_view message) {
  if (!is_large(message.size())) {
    Work::count(1 + message.size() / kBytesAStep);
    Parsed parsed;
    parsed.command = parse_command(message, parsed.id, session.framing.format);
    return obey(session, message, parsed);
  }
  Parsed large;
  large.room = Share(parts_.waiting_bytes, session.client.address);
  if (const auto limit = large.room.resize(message.size()))
    return session.close(CloseCode::kTooSlow, kNoRoomForCommands, limit);
  large.message = message;
  const std::shared_ptr<Parsed> parsed = freed_elsewhere(*parts_.config.offload, std::move(large));
  queue_.elsewhere(
      session,
      [parsed, format = session.framing.format] {
        parsed->command = parse_command(parsed->message, parsed->id, format);
      },
      [this, parsed](Session& asker) {
        obey(asker, parsed->message, *parsed);
        std::string().swap(parsed->message);
        parsed->room.release();
      });
}

void Commands::obey(Session& session, std::string_view message, Parsed& parsed) {
  Result<Command>& command = parsed.command;
  const bool asks = command && (std::holds_alternative<SubscribeCommand>(command->body) ||
                                std::holds_alternative<PublishCommand>(command->body));
  if (const std::string token = asks ? admission_.token_to_judge(session) : ""; !token.empty()) {
    queue_.park_first(session, message);
    authenticate(session, "", token, true);
  } else if (command) {
    execute(session, *command, message.size());
  } else {
    refuse(session, parsed.id, command.error());
  }
}

bool Commands::is_large(std::size_t bytes) const {
  return parts_.config.offload != nullptr && bytes > parts_.config.on_loop_bytes_max;
}

void Commands::execute(Session& session, Command& command, std::size_t bytes) {
  const Doing doing(parts_.pulse, activity_of(command));
  const std::string& id = command.id;
  if (const std::optional<Error> over = over_a_limit(session, command)) return refuse(session, id, *over);
  if (auto* subscribe_to = std::get_if<SubscribeCommand>(&command.body)) {
    subscribe(session, id, *subscribe_to, bytes);
  } else if (auto* leave = std::get_if<UnsubscribeCommand>(&command.body)) {
    unsubscribe(session, id, *leave);
  } else if (auto* message = std::get_if<PublishCommand>(&command.body)) {
    publish(session, id, *message, bytes);
  } else if (const auto* query = std::get_if<ListCommand>(&command.body)) {
    list(session, id, *query);
  } else if (auto* once = std::get_if<GetCommand>(&command.body)) {
    get(session, id, *once, bytes);
  } else if (const auto* auth = std::get_if<AuthCommand>(&command.body)) {
    authenticate(session, id, auth->token);
  } else {
    session.send(encode_pong(id, parts_.clock.wall_ms()));
  }
}

std::optional<Error> Commands::over_a_limit(Session& session, const Command& command) const {
  const std::int64_t now_us = parts_.clock.steady_us();
  if (std::holds_alternative<ListCommand>(command.body)) return rates_.take(session, Rated::kList, now_us);
  if (std::holds_alternative<PublishCommand>(command.body))
    return rates_.take(session, Rated::kPublish, now_us);
  if (const auto* asked = std::get_if<SubscribeCommand>(&command.body))
    return over_topics(asked->topics.size());
  const auto* once = std::get_if<GetCommand>(&command.body);
  if (once == nullptr) return std::nullopt;
  if (std::optional<Error> over = over_topics(once->topics.size())) return over;
  if (std::ranges::none_of(once->topics, is_pattern)) return std::nullopt;
  return rates_.take(session, Rated::kList, now_us);  // it looks at as many names
}

std::optional<Error> Commands::over_topics(std::size_t topics) const {
  const std::size_t most = parts_.config.topics_per_command_max;
  if (topics <= most) return std::nullopt;
  return Error{ErrorCode::kTooLarge,
               "topics: " + std::to_string(topics) + " topics, at most " + std::to_string(most) +
                   " are allowed in one command",
               "topics", Limit::kTopicsPerCommand};
}

void Commands::refuse(Session& session, const std::string& id, const Error& error, std::string_view topic) {
  parts_.counters.count(error);
  session.send(encode_error(id, error, topic));
}

void Commands::admit(Session& session, const std::string& id, AdmissionRequest request,
                     Admission::Then then) {
  entered(session, id, admission_.admit(session, std::move(request), std::move(then)));
}

bool Commands::entered(Session& session, const std::string& id, Admission::Entered entered) {
  if (entered == Admission::Entered::kNoRoom) session.close(CloseCode::kTooSlow, kNoRoomForCommands);
  if (entered == Admission::Entered::kTooMany) {
    refuse(session, id, too_many_wait());
  }
  return entered != Admission::Entered::kNotYet;
}

Error Commands::too_many_wait() const {
  return {ErrorCode::kTooMany,
          std::to_string(parts_.config.session.commands_pending_max) +
              " commands of this session wait for an authorizer, that is the limit",
          "", Limit::kCommandsPending};
}

void Commands::add_result(AckWriter& ack, const TopicResult& result) {
  if (result.error) parts_.counters.count(*result.error);
  ack.add(result);
}

// --- subscribe ------------------------------------------------------------------------------------------

void Commands::subscribe(Session& session, const std::string& id, SubscribeCommand& command,
                         std::size_t bytes) {
  const std::size_t topics = command.topics.size();
  const std::size_t since = command.since.size();
  AdmissionRequest request{.action = Action::kSubscribe, .topics = std::move(command.topics)};
  request.bytes = waiting_bytes(bytes, topics, since);
  const auto decided = shared_names(parts_.config.offload, topics + since, Decided{});
  decided->command = std::move(command);
  decided->options = options_of(decided->command, parts_);
  const auto newcomer = Admission::newcomer(
      std::move(request), [this, id, decided](Session& asker, Admission::Outcome& outcome) {
        decided->outcome = std::move(outcome);
        decided->asked_pace_ms = decided->options.pace_ms;
        for (const Result<Grant>& decision : decided->outcome.decisions) {
          if (!decision) continue;
          SubscribeOptions& options = decided->options;
          options.granted_pace_ms = std::max(options.granted_pace_ms, decision->pace_ms);
          options.pace_ms = std::max(options.pace_ms, decision->pace_ms);
        }
        finish_subscribe(asker, id, decided);
      });
  const auto enter = [this, id, newcomer](Session& asker, const Budget& budget) {
    return entered(asker, id, admission_.enter(asker, newcomer, budget));
  };
  if (decided->options.since == nullptr || !parts_.publisher.is_shared()) return queue_.work(session, enter);
  // The client may have seen more elsewhere than there is here, and must not be shown less.
  const auto current = std::make_shared<std::atomic<bool>>(false);
  const auto wait = [this, current](const std::function<void()>& go) {
    parts_.publisher.when_current([current, go](bool is_current) {
      *current = is_current;
      go();
    });
  };
  const auto looked = std::make_shared<SeqByTopic::const_iterator>(decided->command.since.begin());
  queue_.after(session, wait,
               [this, id, decided, current, looked, enter](Session& asker, const Budget& budget) {
                 decided->options = options_of(decided->command, parts_);
                 const bool may_be_ahead = !*current && !decided->options.knows_epoch();
                 for (; !*current && *looked != decided->command.since.end(); ++*looked) {
                   if (budget.spent()) return false;
                   if (may_be_ahead || is_ahead(decided->options, **looked)) {
                     refuse(asker, id, cut_off());
                     return true;
                   }
                 }
                 return enter(asker, budget);
               });
}

bool Commands::is_ahead(const SubscribeOptions& options, const SeqByTopic::value_type& since) const {
  const TopicPtr topic = parts_.hub.find_topic(since.first);
  return !options.knows(since.second, topic == nullptr ? Standing{} : topic->standing());
}

std::size_t Commands::waiting_bytes(std::size_t message_bytes, std::size_t topics, std::size_t since) {
  return message_bytes + topics * kWaitingTopicBytes + since * kWaitingSinceBytes;
}

void Commands::finish_subscribe(Session& session, const std::string& id,
                                const std::shared_ptr<Decided>& decided) {
  struct Progress {
    SubscribeRun run;
    AckWriter ack;
    bool acked = false;
    std::size_t released = 0;
  };
  const Admission::Outcome& outcome = decided->outcome;
  const std::size_t names = outcome.topics.size();
  const auto progress =
      shared_names(parts_.config.offload, names,
                   Progress{
                       {parts_, subscriptions_, decided->command, decided->options, outcome},
                       {session.framing.format, id, names},
                   });
  queue_.work(session, [this, decided, progress](Session& asker, const Budget& budget) {
    if (!admission_.settle(asker, decided->outcome, budget)) return false;
    if (!progress->acked) {
      if (!progress->run.run(asker, budget)) return false;
      std::vector<TopicResult>& results = progress->run.results();
      AckWriter& ack = progress->ack;
      while (ack.count() < results.size()) {
        if (budget.spent()) return false;
        Work::count();
        TopicResult& result = results[ack.count()];
        keep_lease(asker, decided->outcome.decisions[ack.count()], decided->asked_pace_ms, result);
        // Its guard was loaded after this was decided.
        if (!result.error && decided->outcome.guards != parts_.guards)
          leases_.doubt(asker, result.topic, decided->asked_pace_ms);
        if (decided->command.resumes) say_recovered(decided->command, result);
        add_result(ack, result);
      }
      if (asker.ending_count() > 0) return false;
      asker.send_payload(ack.finish());
      progress->acked = true;
    }
    return subscriptions_.release(asker, progress->released, budget);
  });
}

void Commands::keep_lease(Session& session, const Result<Grant>& decision, std::uint16_t pace_ms,
                          TopicResult& result) {
  if (decision && !result.error) leases_.take_up(session, result.topic, *decision);
  if (!decision) {
    // The run has ended what an earlier answer allowed.
    if (decision.error().code == ErrorCode::kDenied) leases_.end(session, result.topic);
  } else if (!result.error && !decision->guarded) {
    leases_.end(session, result.topic);
  } else if (!result.error && !leases_.keep(session, result.topic, *decision, pace_ms)) {
    subscriptions_.unsubscribe(session, result.topic);
    result = {result.topic, {}, too_many_guarded(parts_.config.session.subscriptions_max)};
  }
}

void Commands::unsubscribe(Session& session, const std::string& id, UnsubscribeCommand& command) {
  struct Progress {
    std::vector<std::string> topics;
    AckWriter ack;
  };
  const std::size_t names = command.topics.size();
  const auto progress = shared_names(
      parts_.config.offload, names, Progress{std::move(command.topics), {session.framing.format, id, names}});
  admission_.begin_withdrawal(session);
  queue_.work(session, [this, progress](Session& asker, const Budget& budget) {
    AckWriter& ack = progress->ack;
    while (ack.count() < progress->topics.size()) {
      if (budget.spent()) return false;
      Work::count();
      const std::string& topic = progress->topics[ack.count()];
      TopicResult result = subscriptions_.unsubscribe(asker, topic);
      const bool waited = admission_.withdraw(asker, topic);
      const bool held = leases_.end(asker, topic);
      if (result.error) Work::count(kErrorSteps);
      if (held || waited) result.error.reset();
      add_result(ack, result);
    }
    if (asker.ending_count() > 0) return false;
    asker.send_payload(ack.finish());
    return true;
  });
}

}  // namespace tickwire
