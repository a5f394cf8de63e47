// Admission: whether a session may do something, asked of the authorizers and the authenticator and answered
// once: subscribe, publish, auth and renewals all come through enter().
//
//   enter() ── nothing is guarded ────────────────────────────────> then(), before enter() returns
//      └─> in line ──> asked ──> answered, or late ──> all decided ─> then(), and what it says is sent
//           ^            │
//           └────────────┘  reconsider(): the token or the claims are others now
//
// A command of many topics enters in pieces: which of them are guarded, and that an unsubscribe can take them
// back. What waits holds a share of ShardConfig::waiting_bytes.
//
// A question is closed at its deadline, so a hanging authorizer holds up only its own clients' commands. A
// session has at most kSessionQuestionsMax of them open; its others wait in line, so that one session with
// thousands of topics leaves room for the rest. Only an authorizer's Deny is kDenied; whatever could not be
// asked or was not answered is kUnavailable. Where the server verifies tokens itself (ShardConfig::tokens),
// that needs no question: a token is judged, and what it allows is allowed, while prepare() looks at the
// topics; only what it does not allow is an authorizer's to decide. A pattern is allowed as the part of it
// that may be seen (Grant::filter), and denied where that is nothing. A session that ended is forgotten at
// once: no `then` is called, and of its questions only the room that they take in the bridge stays until
// their deadline.
//
// Loop thread. The sessions and the Access outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/token_grant.h"
#include "base/shares.h"
#include "fanout/awaited_names.h"
#include "fanout/sender.h"
#include "fanout/session_grants.h"
#include "fanout/shard_parts.h"

namespace tickwire {

inline constexpr std::size_t kSessionQuestionsMax = 256;
inline constexpr std::int64_t kJudgeAgainMs = 1'000;
inline constexpr std::int64_t kForeverUs = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kTtlMsMax = 3'153'600'000'000;  // 100 years; a longer one is cut to it

// What is allowed.
struct Grant {
  bool guarded = false;                  // an authorizer said so, and so can take it back
  std::int64_t expires_us = kForeverUs;  // on the steady clock
  std::string claims = {};               // of an authentication: a JSON object
  std::string subject = {};              // the same: whose token it is
  // What the token lets the session do, where the server verified it itself; null: an authenticator did.
  std::shared_ptr<const TokenGrant> token = nullptr;
  bool by_token = false;       // the session's token allows it, so only another token can renew it
  std::uint16_t pace_ms = 0;   // at least this long between two messages of the subscription
  FilterPtr filter = nullptr;  // of a pattern: the part that is allowed; null: all of it
};

struct AdmissionRequest {
  Action action = Action::kSubscribe;
  std::vector<std::string> topics;  // of kAuthenticate one, which is empty
  std::string token = {};           // of kAuthenticate: the one to judge
  bool counts = true;               // as a command that waits; false for questions of the server itself
  std::size_t bytes = 0;            // that the command takes while it waits
  bool once = false;                // of a get: no unsubscribe takes it back
};

// Says `reason` of `topic`, or of the token where `topic` is empty.
Error error_about(ErrorCode code, std::string_view topic, std::string_view reason);
Error denied_about(std::string_view topic, std::string_view reason);
Error unavailable_about(std::string_view topic, std::string_view reason);

class Admission {
 public:
  using Decisions = std::vector<Result<Grant>>;
  // What was asked about, and what came of it.
  struct Outcome {
    std::vector<std::string> topics;
    // One for each topic: a grant (also for a name that is not valid), or denied, unavailable, or, once it is
    // settled, not_subscribed for one that was withdrawn.
    Decisions decisions;
    Share room;                // for a command that waited, as long as there is something to do for it
    std::size_t awaited = 0;   // of a subscribe: so many of its last topics have yet to be settled
    std::uint64_t since = 0;   // the withdrawals before it
    std::uint64_t guards = 0;  // ShardParts::guards when it began: what was loaded later has not been asked
  };
  // Called once, on the loop thread, while the session is open.
  using Then = std::function<void(Session&, Outcome&)>;
  // One that comes in.
  struct Waiting;
  using WaitingPtr = std::shared_ptr<Waiting>;
  enum class Entered : std::uint8_t {
    kNotYet,   // the budget is spent
    kEntered,  // `then` was called, or will be
    kTooMany,  // commands_pending_max commands of the session wait already
    kNoRoom,   // it would hold more than ShardConfig::waiting_bytes allows
  };

  Admission(ShardParts& parts, Sender& sender) : parts_(parts), sender_(sender) {}

  static WaitingPtr newcomer(AdmissionRequest request, Then then);
  // A piece. Between two pieces the session runs no command.
  Entered enter(Session& session, const WaitingPtr& waiting, const Budget& budget);
  // The same in one go, for few topics.
  Entered admit(Session& session, AdmissionRequest request, Then then);
  // A piece of what a subscribe does before it is carried out: finds out what was withdrawn. True: all of it.
  bool settle(const Session& session, Outcome& outcome, const Budget& budget);
  // An unsubscribe comes, and takes back what it names.
  void begin_withdrawal(const Session& session);
  // True: a subscribe waited for the topic.
  bool withdraw(const Session& session, std::string_view topic);
  // The session's token or claims are new, or a guard is: asks again whatever waits, answers to the old
  // questions are void.
  void reconsider(Session& session);
  // What the session's token lets it do from now on; null: nothing. reconsider() is the caller's to call.
  void set_grant(const Session& session, std::shared_ptr<const TokenGrant> grant);
  // The same, as it is now; until the next set_grant() or forget().
  [[nodiscard]] const SessionGrants::Held& grant_of(const Session& session) const {
    return grants_.find(parts_.sessions.ref(session));
  }
  // A token that nobody could judge: what an authorizer would have to say is kUnavailable, until a token was
  // judged. Empty: there is none any more.
  void set_unjudged(Session& session, const std::string& token);
  [[nodiscard]] bool is_unjudged(const Session& session) const {
    const Desk* desk = find_desk(parts_.sessions.ref(session));
    return desk != nullptr && !desk->unjudged.empty();
  }
  // That token, once kJudgeAgainMs have passed since set_unjudged(); empty: there is nothing to judge now.
  [[nodiscard]] std::string token_to_judge(const Session& session) const;
  void forget(const Session& session);

  // To a question that is no longer open: ignored.
  void answer(const AccessAnswer& answer);
  // Closes the questions that are past their deadline, a bounded number of them.
  void expire();
  // When to call expire() next, on the steady clock; < 0: nothing waits.
  [[nodiscard]] std::int64_t next_deadline_us();

 private:
  // What waits of a session, in the order it came.
  struct Desk {
    SessionRef session;
    std::vector<WaitingPtr> waiting;
    AwaitedNames names;                        // of its subscribes, until they are settled
    std::size_t open = 0;                      // questions, those of earlier rounds included
    bool goes_on = false;                      // a job will look at more topics
    bool in_line = false;                      // questions wait for one of its own to be answered
    std::shared_ptr<const ClientInfo> client;  // as authorizers see it; null: to be made
    std::string unjudged;                      // the token; empty: there is none
    std::int64_t unjudged_us = 0;              // since when
  };
  struct Open {
    SessionRef session;
    WaitingPtr waiting;  // null: nobody waits for the answer
    std::uint32_t index = 0;
    std::uint32_t round = 0;
    std::int64_t asked_us = 0;
  };

  Desk& desk_of(const Session& session);
  [[nodiscard]] Desk* find_desk(SessionRef ref) const;
  // Decides what needs no authorizer and lists the questions, a piece of them. True: all of them.
  bool prepare(const Session& session, const Desk* desk, Waiting& waiting, const Budget& budget) const;
  // What a token decides (admission_token.cc); nothing: it decides nothing, so an authorizer is to be asked.
  // `verdict`: of Access, kAsk or kTokenOnly.
  [[nodiscard]] std::optional<Result<Grant>> decide_by_token(const Session& session,
                                                             const AdmissionRequest& request,
                                                             const std::string& topic, Verdict verdict) const;
  [[nodiscard]] std::optional<Result<Grant>> judge_token(const std::string& token, Verdict verdict) const;
  [[nodiscard]] std::size_t commands_waiting(const Desk& desk) const;
  // Asks as much as the session may have open. False: the budget was spent before that.
  bool ask(Desk& desk, const Budget& budget);
  void ask_one(Desk& desk, const WaitingPtr& waiting, std::uint32_t index);
  // Whether an unsubscribe took the topic back. A subscribe that came later asks for it again.
  [[nodiscard]] static bool is_withdrawn(const Desk& desk, const Waiting& waiting, std::size_t index);
  // False: no share of memory has so much left.
  bool take_room(const Desk& desk, const Session& session, Waiting& waiting);
  void drop_if_idle(SessionRef ref);
  [[nodiscard]] static bool may_go_on(const Desk& desk, const Waiting& waiting);
  // Asks, and calls `then` of what is decided. The session may be gone afterwards.
  void advance(SessionRef ref);
  // Advances again, after a turn.
  void go_on(SessionRef ref);
  [[nodiscard]] Result<Grant> decision_of(const Session& session, Action action, const std::string& topic,
                                          const AccessAnswer& answer) const;
  // Which part of a pattern may be subscribed to (admission_decision.cc): what the session's token allows,
  // and what is open or guarded, as far as the guards let it be seen. `answer`: what they said, if they were
  // asked.
  [[nodiscard]] Result<Grant> part_of(const Session& session, const std::string& pattern,
                                      const AccessAnswer& answer) const;
  // Until when an answer holds, on the steady clock.
  [[nodiscard]] std::int64_t end_of(const AccessAnswer& answer) const;

  ShardParts& parts_;
  Sender& sender_;
  std::vector<std::unique_ptr<Desk>> desks_;  // by the session's slot; null: nothing of it waits
  std::unordered_map<std::uint64_t, Open> open_;
  SessionGrants grants_;
  std::deque<std::pair<std::int64_t, std::uint64_t>> deadlines_;  // in order; with questions closed already
  std::uint64_t next_id_ = 1;
};

}  // namespace tickwire
