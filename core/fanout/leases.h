// Leases: the subscriptions that an authorizer allowed, until when, and what becomes of them then.
//
//            keep()
//   (none) ─────────> served ── no allow by its end ─> held ── allowed ─> served again, snapshot first
//                     ^    │    (`unavailable` is said) │
//            allowed ─┘    └──────── denied ────────────┴─> ended (`denied` is said)
//
// Nothing is served past its end. So an authorizer is asked again some time before it (renewal_lead_us), and
// while nobody can say, at growing intervals, for as long as the session lives. A lease that is held has no
// subscription, only what is needed to take it up again. When the session has new claims, review() asks about
// all of its leases. A lease that the session's token allowed ends with the token: nobody is asked before
// that. After it an authorizer is, if one guards the topic; else the lease is held until the session has
// another token.
//
// Loop thread. Works in pieces (run), so that a session with 100,000 leases holds nobody up.
// Invariant: served leases are subscriptions of the client's asking; their session is open.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fanout/admission.h"
#include "fanout/subscriptions.h"

namespace tickwire {

inline constexpr std::int64_t kRenewalRetryMsFirst = 1'000;  // doubles; up to a quarter is added, as jitter
inline constexpr std::int64_t kRenewalRetryMsMax = 12'000;
inline constexpr std::size_t kRenewalsAtOnceMax = 64;  // of one session

// How long before the end of a lease that lasts `ttl_us` its renewal is asked for: time enough for one answer
// that is late and a second try, at most a quarter of the lease.
std::int64_t renewal_lead_us(std::int64_t ttl_us, std::int64_t deadline_ms);

// The error that answers what keep() does not keep.
Error too_many_guarded(std::size_t most);

class Leases {
 public:
  struct Notice {  // what the client is to be told about a subscription
    std::string topic;
    Error error;
  };
  using Reviewed = std::function<void(Session&, std::vector<Notice>)>;

  Leases(ShardParts& parts, Sender& sender, Subscriptions& subscriptions, Admission& admission)
      : parts_(parts), sender_(sender), subscriptions_(subscriptions), admission_(admission) {}

  // A subscribe of the topic was allowed. Where its lease is held, it is no longer; what the end of the lease
  // took away between the pieces of that subscribe is subscribed again, as `grant` allows.
  void take_up(Session& session, const std::string& topic, const Grant& grant);
  // A subscription that was made because of `grant`. False: the session has subscriptions_max leases already,
  // those that are held included; nothing was kept. `pace_ms`: as the client asked; the grant may demand
  // more.
  bool keep(const Session& session, const std::string& topic, const Grant& grant, std::uint16_t pace_ms);
  // A guard was loaded that nobody asked about it: it is asked, and until it answers the subscription is
  // served for as long as one answer may take.
  void doubt(Session& session, const std::string& topic, std::uint16_t pace_ms);
  // A piece of the same for all of the session's subscriptions that the guard has a say in. True: all.
  struct Place {
    std::size_t exact = 0;
    std::size_t pattern = 0;
  };
  bool doubt(Session& session, const Pattern& guard, Place& place, const Budget& budget);
  // The client left, or was refused. True: it was held.
  bool end(const Session& session, std::string_view topic);
  // Asks about all leases of the session, under its new claims: those that are denied end, those about which
  // nobody can say are held. Then calls `done`, perhaps at once, with what the client is to be told.
  void review(Session& session, Reviewed done);
  void forget(const Session& session);

  // A piece of what is due.
  void run();
  // When to call run() next, on the steady clock; < 0: nothing is due ever.
  [[nodiscard]] std::int64_t next_us() const;

 private:
  struct Held {
    std::uint16_t pace_ms = 0;
    std::optional<std::uint64_t> seq;  // of an event topic: the last one sent
  };
  struct Lease {
    const std::string* topic = nullptr;  // its key in the book
    std::int64_t ask_us = kForeverUs;    // when to ask again
    std::int64_t end_us = kForeverUs;    // until when it is served
    unsigned attempts = 0;               // that nobody could answer
    bool asking = false;
    bool by_token = false;  // the session's token allowed it
    std::uint16_t asked_pace_ms = 0;
    std::uint16_t granted_pace_ms = 0;  // the least that the grant allows
    std::optional<Held> held;
  };
  using Times = std::set<std::pair<std::int64_t, Lease*>>;
  struct Review {
    Reviewed done;
    std::int64_t deadline_us = 0;
    std::string after;  // those up to this topic were asked about
    bool asking = false;
    std::vector<Notice> notices;
  };
  // The leases of one session.
  struct Book {
    SessionRef session;
    std::map<std::string, Lease, std::less<>> leases;
    Times asks, ends;
    std::size_t asking = 0;  // renewals under way
    std::optional<Review> review;
    std::int64_t due_us = kForeverUs;  // as in due_
  };

  [[nodiscard]] Book* find_book(SessionRef ref) const;
  // Frees the book of a session that ended.
  void free_in_pieces(std::unique_ptr<Book> closed);
  void set_ask(Book& book, Lease& lease, std::int64_t at_us);
  void set_end(Book& book, Lease& lease, std::int64_t at_us);
  void renew(Book& book, Lease& lease, const Grant& grant);
  void erase(Book& book, Lease& lease);
  // Puts the book where it belongs in due_.
  void schedule(Book& book);
  void step(Book& book, Session& session);
  void ask(Book& book, Session& session, Lease& lease);
  void on_answer(Session& session, const std::string& topic, const Result<Grant>& decision);
  // What the client is to be told, if anything; may erase the lease.
  std::optional<Error> decide(Book& book, Session& session, Lease& lease, const Result<Grant>& decision);
  std::optional<Error> hold(Book& book, Session& session, Lease& lease);
  std::optional<Error> resume(Book& book, Session& session, Lease& lease, const Grant& grant);
  // As decide(), for an allowed one.
  std::optional<Error> go_on(Book& book, Session& session, Lease& lease, const Grant& grant);
  void review_piece(Book& book, Session& session);
  void decide_reviewed(Session& session, const std::vector<std::string>& topics,
                       const Admission::Decisions& decisions);

  ShardParts& parts_;
  Sender& sender_;
  Subscriptions& subscriptions_;
  Admission& admission_;
  std::vector<std::unique_ptr<Book>> books_;  // by the session's slot; null: it has none
  std::set<std::pair<std::int64_t, Book*>> due_;
};

}  // namespace tickwire
