// Commands: does what a client's message asks, and answers it. An answer that depends on an authorizer comes
// when that has spoken; commands of a session whose token is being looked at wait for it, in order.
// Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "fanout/access_desk.h"
#include "fanout/grants.h"
#include "fanout/sender.h"
#include "fanout/subscriptions.h"
#include "protocol/command.h"

namespace tickwire {

// When a renewal was not looked at because too many questions wait.
inline constexpr std::int64_t kRenewalRetryMs = 1'000;

class Commands {
 public:
  Commands(ShardParts& parts, Sender& sender, Subscriptions& subscriptions, AccessDesk& desk)
      : parts_(parts), sender_(sender), subscriptions_(subscriptions), desk_(desk) {}

  // One message. Its answer, and what it owes, is written before this returns, if the socket has room.
  void run(Session& session, std::string_view message);
  // Hands the token the session came with to the authenticator.
  void authenticate(Session& session, const std::string& id);
  // Asks again about grants that expired; a subscription that is refused now ends with an error.
  void renew_grants();

 private:
  // A subscribe of which some topics wait for an authorizer.
  struct Pending {
    SessionRef session;
    std::string id;
    SubscribeCommand command;
    SubscribeOptions options;
    std::vector<std::optional<Error>> errors;  // by topic
    std::vector<std::int64_t> ttl_ms;          // by topic; 0: for ever
    std::size_t open = 0;
  };

  // Of a command, done in pieces; true: it is done. The session is open.
  using Piece = std::function<bool(Session&, const Budget&)>;

  void do_now(Session& session, std::string_view message);
  // Does the first piece at once. While more are to come, the session's next commands wait, in order.
  void work(Session& session, Piece piece);
  void work_later(Session& session, Piece piece);
  void go_on(Session& session);
  void execute(Session& session, const Command& command);
  void subscribe(Session& session, const std::string& id, const SubscribeCommand& command);
  bool ask_about(Session& session, const std::shared_ptr<Pending>& pending);
  void finish_subscribe(Session& session, const std::shared_ptr<Pending>& pending);
  // 0: for ever.
  void keep_grant(const Grant& grant, std::int64_t ttl_ms);
  void unsubscribe(Session& session, const std::string& id, const UnsubscribeCommand& command);
  // Those of `topics` for which a subscribe still waits for its authorizer; it gets them refused.
  std::unordered_set<std::string_view> take_back(const Session& session,
                                                 const std::vector<std::string>& topics);
  void publish(Session& session, const std::string& id, const PublishCommand& command);
  void finish_publish(Session& session, const std::string& id, const PublishCommand& command);
  void list(Session& session, const std::string& id, const ListCommand& command);
  void on_claims(Session& session, const std::string& id, const AccessAnswer& answer);
  void refuse(Session& session, const std::string& id, const Error& error, std::string_view topic = {});
  // Counts a command that waits; false (and answered) when there are too many.
  bool begin_pending(Session& session, const std::string& id);

  ShardParts& parts_;
  Sender& sender_;
  Subscriptions& subscriptions_;
  AccessDesk& desk_;
  Grants grants_;
  std::vector<std::weak_ptr<Pending>> pending_;
};

}  // namespace tickwire
