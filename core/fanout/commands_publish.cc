// The command publish.
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "fanout/commands.h"
#include "protocol/ack.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

// `data` (an object without `author`) with the subject as its author.
std::string with_author(std::string_view data, std::string_view subject) {
  std::string out = "{\"author\":" + quote_json(subject);
  data.remove_prefix(1);
  const std::size_t first = data.find_first_not_of(" \t\r\n");
  if (data[first] != '}') out += ',';
  return out.append(data);
}

}  // namespace

void Commands::publish(Session& session, const std::string& id, PublishCommand& command, std::size_t bytes) {
  if (Status valid = check_topic(command.topic); !valid) return refuse(session, id, valid.error());
  if (Status free = check_not_reserved(command.topic); !free) return refuse(session, id, free.error());
  AdmissionRequest request{.action = Action::kPublish, .topics = {command.topic}, .bytes = bytes};
  const auto message = std::make_shared<const PublishCommand>(std::move(command));
  admit(session, id, std::move(request), [this, id, message](Session& asker, Admission::Outcome& outcome) {
    const Result<Grant>& decision = outcome.decisions.front();
    if (!decision) return refuse(asker, id, decision.error());
    OnceHoldPtr hold;
    const bool once = !message->once.empty() && parts_.config.once != nullptr;
    if (once && !take_once(asker, id, *message, hold)) return;
    finish_publish(asker, id, message, {std::make_shared<Share>(std::move(outcome.room)), std::move(hold)});
  });
}

bool Commands::take_once(Session& session, const std::string& id, const PublishCommand& command,
                         OnceHoldPtr& hold) {
  PublishOnce& names = *parts_.config.once;
  PublishOnce::Name name{PublishOnce::client_of(session.client), command.topic, command.once};
  const Result<std::optional<std::uint64_t>> before = names.begin(name, parts_.clock.steady_us());
  if (!before) {
    refuse(session, id, before.error());
    return false;
  }
  if (*before) {
    TopicResult result{command.topic, *before, {}};
    result.duplicate = true;
    session.send_payload(encode_ack(session.framing.format, id, {result}));
    return false;
  }
  hold = std::make_shared<OnceHold>(names, std::move(name), parts_.clock);
  return true;
}

void Commands::finish_publish(Session& session, const std::string& id,
                              const std::shared_ptr<const PublishCommand>& command, const Held& held) {
  // The publisher may be done before publish() has returned, or long after that; the second to come answers.
  struct Meeting {
    std::optional<Publisher::Outcome> outcome;
    std::atomic<bool> one_came = false;
    bool second() { return one_came.exchange(true); }
  };
  const auto meeting = std::make_shared<Meeting>();
  const auto answer = [this, id, command, meeting](Session& asker) {
    const Publisher::Outcome& outcome = *meeting->outcome;
    if (!outcome) return refuse(asker, id, outcome.error());
    asker.send_payload(encode_ack(asker.framing.format, id, {{command->topic, *outcome, {}}}));
  };
  const auto done = [this, meeting, answer, once = held.once,
                     ref = parts_.sessions.ref(session)](const Publisher::Outcome& outcome) {
    if (once) once->end(outcome);
    meeting->outcome = outcome;
    if (!meeting->second()) return;
    parts_.post([this, answer, ref] {
      Session* const asker = parts_.sessions.find(ref);
      if (asker == nullptr) return;
      answer(*asker);
      sender_.send(*asker);
    });
  };
  const auto publish = [&publisher = parts_.publisher, command, done, held,
                        subject = session.client.subject] {
    const std::string authored = subject.empty() ? "" : with_author(command->data, subject);
    static_cast<void>(
        publisher.publish(command->topic, subject.empty() ? command->data : authored, kClientFeed, done));
  };
  const auto then = [meeting, answer](Session& asker) {
    if (meeting->second()) answer(asker);
  };
  if (is_large(command->data.size())) return queue_.elsewhere(session, publish, then);
  queue_.work(session, [publish, then](Session& asker, const Budget& /*budget*/) {
    publish();
    then(asker);
    return true;
  });
}

}  // namespace tickwire
