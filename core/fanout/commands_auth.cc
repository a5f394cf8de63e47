// The command auth, and a token that is judged again.
#include <utility>

#include "base/work.h"
#include "fanout/commands.h"
#include "fanout/offload.h"
#include "protocol/encode.h"

namespace tickwire {

void Commands::authenticate(Session& session, const std::string& id, const std::string& token, bool again) {
  session.authenticating = true;
  session.hold_reading(true);
  AdmissionRequest request{.action = Action::kAuthenticate, .topics = {""}, .token = token, .counts = false};
  admit(session, id, std::move(request),
        [this, id, token, again](Session& asker, const Admission::Outcome& outcome) {
          const Result<Grant>& decision = outcome.decisions.front();
          const bool denied = !decision && decision.error().code == ErrorCode::kDenied;
          // A server without an authenticator stays so: its client need not ask again.
          const bool accepted = decision || !has_authenticator();
          std::string answer;
          if (!again || denied) {
            if (!accepted) parts_.counters.count(decision.error());
            answer = accepted ? encode_auth_ack(id, decision.ok()) : encode_error(id, decision.error());
          }
          on_judged(asker, token, decision, answer);
        });
}

bool Commands::has_authenticator() const {
  return parts_.access.check(Action::kAuthenticate, "") != Verdict::kDeny;
}

void Commands::on_judged(Session& session, const std::string& token, const Result<Grant>& decision,
                         const std::string& answer) {
  ClientInfo& client = session.client;
  const bool judged = decision || decision.error().code == ErrorCode::kDenied;
  const bool nobody_judges = !has_authenticator();
  if (!judged && !nobody_judges) {
    // Claims of before stay. Without any, authorizers would deny for good what the token may allow.
    if (client.claims.empty()) admission_.set_unjudged(session, token);
    return finish_authentication(session, answer, {});
  }
  // Without an authenticator it is the authorizers that look at the token.
  client.token = decision || nobody_judges ? token : "";
  client.claims = decision ? decision->claims : "";
  admission_.set_grant(session, decision ? decision->token : nullptr);
  admission_.set_unjudged(session, "");
  admission_.reconsider(session);
  leases_.review(session, [this, answer](Session& asker, std::vector<Leases::Notice> notices) {
    finish_authentication(asker, answer, std::move(notices));
  });
}

void Commands::finish_authentication(Session& session, const std::string& answer,
                                     std::vector<Leases::Notice> notices) {
  session.authenticating = false;
  if (!answer.empty()) session.send(answer);
  const std::size_t names = notices.size();
  const auto told = shared_names(parts_.config.offload, names, std::move(notices));
  queue_.work(session, [this, told, next = std::size_t{0}](Session& asker, const Budget& budget) mutable {
    for (; next < told->size() && !budget.spent(); ++next) {
      const Leases::Notice& notice = (*told)[next];
      Work::count(2 * kErrorSteps);
      refuse(asker, "", notice.error, notice.topic);
    }
    return next == told->size();
  });
  sender_.send(session);
  queue_.go_on(session);
}

}  // namespace tickwire
