// Commands: does what a client's message asks, and answers it. An answer that depends on an authorizer comes
// when that has spoken; commands of a session whose token is being looked at wait for it, in order.
// Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/shares.h"
#include "fanout/admission.h"
#include "fanout/command_queue.h"
#include "fanout/command_rates.h"
#include "fanout/leases.h"
#include "fanout/publish_once.h"
#include "fanout/session_target.h"
#include "fanout/snapshot_page.h"
#include "fanout/subscriptions.h"
#include "protocol/ack.h"
#include "protocol/command.h"

namespace tickwire {

class Commands {
 public:
  Commands(ShardParts& parts, Sender& sender, Subscriptions& subscriptions, Admission& admission,
           Leases& leases)
      : parts_(parts),
        sender_(sender),
        subscriptions_(subscriptions),
        admission_(admission),
        leases_(leases),
        rates_(parts.config.rates, parts.config.shared_rates),
        queue_(parts, sender,
               [this](Session& session, std::string_view message) { read(session, message); }) {}

  // One message. Its answer, and what it owes, is written before this returns, if the socket has room and
  // the command is neither long nor large.
  void run(Session& session, std::string_view message);
  // Hands the token to the authenticator; `id` is the command's, empty for the token of the URL.
  // `again`: nobody could judge it before; only what is new is said.
  void authenticate(Session& session, const std::string& id, const std::string& token, bool again = false);
  // As Shard::read.
  void read(Session& session, bool lists, std::vector<std::string> topics, Admission::Then then);
  // Ends the session, as an admin wants.
  void end(Session& session, SessionEnd how);

 private:
  // A message that was read.
  struct Parsed {
    std::string message;  // of one that is large
    Share room;           // for that
    std::string id;
    Result<Command> command = Command{};
  };
  // A subscribe that was decided.
  struct Decided {
    SubscribeCommand command;  // without its topics
    SubscribeOptions options;
    std::uint16_t asked_pace_ms = 0;  // options have what the grants demand
    Admission::Outcome outcome;
  };

  void read(Session& session, std::string_view message);
  void obey(Session& session, std::string_view message, Parsed& parsed);
  // Too large for the loop: a worker reads it, or publishes it.
  [[nodiscard]] bool is_large(std::size_t bytes) const;
  // `bytes`: of its message.
  void execute(Session& session, Command& command, std::size_t bytes);
  // Nothing: no limit is in its way.
  [[nodiscard]] std::optional<Error> over_a_limit(Session& session, const Command& command) const;
  [[nodiscard]] std::optional<Error> over_topics(std::size_t topics) const;
  [[nodiscard]] Error too_many_wait() const;
  // The client has seen more of a topic than there is here.
  [[nodiscard]] bool is_ahead(const SubscribeOptions& options, const SeqByTopic::value_type& since) const;
  void admit(Session& session, const std::string& id, AdmissionRequest request, Admission::Then then);
  // Says what was in the way, if anything. False: not yet entered.
  bool entered(Session& session, const std::string& id, Admission::Entered entered);
  void subscribe(Session& session, const std::string& id, SubscribeCommand& command, std::size_t bytes);
  void finish_subscribe(Session& session, const std::string& id, const std::shared_ptr<Decided>& decided);
  // What follows for the lease; may turn the result into an error.
  void keep_lease(Session& session, const Result<Grant>& decision, std::uint16_t pace_ms,
                  TopicResult& result);
  void unsubscribe(Session& session, const std::string& id, UnsubscribeCommand& command);
  void publish(Session& session, const std::string& id, PublishCommand& command, std::size_t bytes);
  // Takes the name that the update is published under once. False: it is answered already.
  bool take_once(Session& session, const std::string& id, const PublishCommand& command, OnceHoldPtr& hold);
  // What an update holds as long as the publisher has not merged it.
  struct Held {
    std::shared_ptr<Share> room;
    OnceHoldPtr once;  // null: it may be published again
  };
  void finish_publish(Session& session, const std::string& id,
                      const std::shared_ptr<const PublishCommand>& command, const Held& held);
  // The commands that only read are in commands_read.cc.
  void list(Session& session, const std::string& id, const ListCommand& command);
  void get(Session& session, const std::string& id, GetCommand& command, std::size_t bytes);
  void finish_get(Session& session, const std::string& id, const std::shared_ptr<SnapshotPage>& page);
  // What a subscribe or a get of so many names holds while it waits.
  [[nodiscard]] static std::size_t waiting_bytes(std::size_t message_bytes, std::size_t topics,
                                                 std::size_t since);
  [[nodiscard]] bool has_authenticator() const;
  // Whether the token's subject was revoked while an authenticator judged it, since `asked_ms`.
  [[nodiscard]] bool revoked_meanwhile(const Result<Grant>& decision, std::int64_t asked_ms) const;
  void on_judged(Session& session, const std::string& token, const Result<Grant>& decision,
                 const std::string& answer);
  // Answers (empty: says nothing) and tells the notices, in pieces; then runs what came meanwhile.
  void finish_authentication(Session& session, const std::string& answer,
                             std::vector<Leases::Notice> notices);
  // Counts the error of a result, where it has one.
  void add_result(AckWriter& ack, const TopicResult& result);
  void refuse(Session& session, const std::string& id, const Error& error, std::string_view topic = {});

  ShardParts& parts_;
  Sender& sender_;
  Subscriptions& subscriptions_;
  Admission& admission_;
  Leases& leases_;
  const CommandRates rates_;
  CommandQueue queue_;
};

}  // namespace tickwire
