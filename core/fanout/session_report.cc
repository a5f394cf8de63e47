#include "fanout/session_report.h"

#include <algorithm>
#include <tuple>

#include "base/work.h"

namespace tickwire {
namespace {

struct Before {
  const SessionsQuery& query;
  bool operator()(const SessionReport& a, const SessionReport& b) const {
    return std::tie(a.*query.sort, a.behind_ms, a.behind, a.conflated, b.session) >
           std::tie(b.*query.sort, b.behind_ms, b.behind, b.conflated, a.session);
  }
};

}  // namespace

SessionReport report_on(const Session& session, std::int64_t now_us) {
  SessionReport report;
  report.session = session.client.session;
  report.remote = session.client.remote;
  report.subject = session.client.subject;
  report.format = session.framing.format;
  report.compression = session.framing.compression;
  report.state = session.state();
  report.connected_s = static_cast<std::uint64_t>((now_us - session.opened_us) / 1'000'000);
  report.patterns = session.pattern_count();
  report.exact = session.subscription_count() - report.patterns;
  report.behind = session.behind_count();
  if (session.behind_since_us != 0)
    report.behind_ms = static_cast<std::uint64_t>((now_us - session.behind_since_us) / 1000) + 1;
  report.conflated = session.conflated;
  report.gaps = session.gaps;
  report.messages = session.messages;
  report.bytes = session.bytes;
  report.outbox_bytes = session.outbox_bytes();
  return report;
}

void keep_some(std::vector<SessionReport>& sessions, const SessionsQuery& query) {
  if (sessions.size() <= query.limit) return;
  Work::count(sessions.size() / 4);
  const auto end = sessions.begin() + static_cast<std::ptrdiff_t>(query.limit);
  std::ranges::nth_element(sessions, end, Before{query});
  sessions.erase(end, sessions.end());
}

void keep_first(std::vector<SessionReport>& sessions, const SessionsQuery& query) {
  keep_some(sessions, query);
  std::ranges::sort(sessions, Before{query});
}

}  // namespace tickwire
