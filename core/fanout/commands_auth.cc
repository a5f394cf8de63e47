// The command auth, a token that is judged again, and the end of a session that was revoked.
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
        [this, id, token, again, asked_ms = parts_.clock.wall_ms()](Session& asker,
                                                                    const Admission::Outcome& outcome) {
          const Result<Grant>& decision = outcome.decisions.front();
          if (revoked_meanwhile(decision, asked_ms)) return end(asker, SessionEnd::kRevoked);
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

// What the server verified itself it has held against the revocations, at the same moment.
bool Commands::revoked_meanwhile(const Result<Grant>& decision, std::int64_t asked_ms) const {
  const Revocations* const revocations = parts_.config.revocations;
  if (revocations == nullptr || !decision || decision->token != nullptr || decision->subject.empty())
    return false;
  return revocations->revoked_since(decision->subject, asked_ms);
}

void Commands::end(Session& session, SessionEnd how) {
  admission_.forget(session);
  leases_.forget(session);
  if (how == SessionEnd::kDisconnected)
    return session.close(CloseCode::kDrain, "an admin ended the connection");
  const Error error{ErrorCode::kDenied, "token: the session was revoked", "token"};
  parts_.counters.count(error);
  session.send(encode_error("", error));
  session.close(CloseCode::kRevoked, "revoked");
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
  client.subject = decision ? decision->subject : "";
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
