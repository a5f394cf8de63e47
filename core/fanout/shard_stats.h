// What a shard counts. A number is a member here and a row of one of the tables below; what reports numbers
// reads the tables, so a new row shows everywhere.
//
// Written on the shard's loop thread, read on any. Per write or turn, never per message: what a message
// counts is summed up first.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counter.h"
#include "base/error.h"
#include "base/limit.h"
#include "protocol/codes.h"

namespace tickwire {

template <typename Number>
struct ShardNumbers {
  Number sessions{};
  Number subscriptions{};
  Number sessions_opened{};
  Number messages{};
  Number bytes{};
  Number writes{};
  Number turns{};
  Number conflated{};
  Number gaps{};
  Number linked{};
  Number standalone{};
  Number overruns{};
};

// The numbers as they are at one moment.
using ShardStats = ShardNumbers<std::uint64_t>;

// The names of the rows of a table.
template <typename Row, std::size_t Count>
constexpr std::array<std::string_view, Count> names_of(const std::array<Row, Count>& rows) {
  std::array<std::string_view, Count> names;
  std::ranges::transform(rows, names.begin(), &Row::name);
  return names;
}

// By the number of their ErrorCode; a client sees every other code as the last.
inline constexpr auto kErrorReasons = names_of(kCodeRows);

// By the number of their Ruling.
inline constexpr std::array<std::string_view, 3> kAnswerReasons{"allow", "deny", "unavailable"};

struct CloseRow {
  CloseCode code;
  std::string_view name;
};
inline constexpr std::array kCloseRows{
    CloseRow{CloseCode::kGoingAway, "1001"},  CloseRow{CloseCode::kProtocolError, "1002"},
    CloseRow{CloseCode::kNotUtf8, "1007"},    CloseRow{CloseCode::kPolicy, "1008"},
    CloseRow{CloseCode::kTooLarge, "1009"},   CloseRow{CloseCode::kTooSlow, "1013"},
    CloseRow{CloseCode::kDrain, "4001"},      CloseRow{CloseCode::kNoPong, "4002"},
    CloseRow{CloseCode::kNotAllowed, "4500"}, CloseRow{CloseCode::kWrongDataType, "4501"}};
inline constexpr auto kCloseReasons = names_of(kCloseRows);

// What is not a limit of ours.
enum class RefusedFor : std::uint8_t { kDescriptors };
inline constexpr std::array<std::string_view, 1> kRefusedReasons{"descriptors"};

struct ShardCounters : ShardNumbers<Counter> {
  ReasonCounter errors{kErrorReasons};
  ReasonCounter answers{kAnswerReasons};
  ReasonCounter closes{kCloseReasons};
  ReasonCounter refused{kRefusedReasons};
  static_assert(kLimitNames.size() <= ReasonCounter::kReasonsMax);
  ReasonCounter limited{kLimitNames};
  Histogram turn{kTimeBoundsUs};
  Histogram age_at_write{kTimeBoundsUs};
  Histogram messages_per_write{kNumberBounds};
  Histogram plugin_call{kTimeBoundsUs};

  void count(ErrorCode code) { errors.add(static_cast<std::size_t>(code)); }
  void count(Limit limit) { limited.add(static_cast<std::size_t>(limit)); }
  void count(const Error& error) {
    count(error.code);
    if (error.limit) count(*error.limit);
  }
  void count(RefusedFor reason) { refused.add(static_cast<std::size_t>(reason)); }
  void count(CloseCode code) {
    closes.add(
        static_cast<std::size_t>(std::ranges::find(kCloseRows, code, &CloseRow::code) - kCloseRows.begin()));
  }
};

struct ShardNumberRow {
  CounterInfo info;
  Counter ShardNumbers<Counter>::* counter;
  std::uint64_t ShardStats::* value;
};
struct ShardReasonRow {
  CounterInfo info;
  ReasonCounter ShardCounters::* counter;
};
struct ShardHistogramRow {
  CounterInfo info;
  Histogram ShardCounters::* histogram;
};

inline constexpr std::array<ShardNumberRow, sizeof(ShardStats) / sizeof(std::uint64_t)> kShardNumbers{{
    {{"sessions", CounterKind::kGauge, "", "", "Sessions that are open."},
     &ShardCounters::sessions,
     &ShardStats::sessions},
    {{"subscriptions", CounterKind::kGauge, "", "",
      "Subscriptions of all sessions: a topic or a pattern counts once for each session that has it."},
     &ShardCounters::subscriptions,
     &ShardStats::subscriptions},
    {{"sessions_opened", CounterKind::kCounter, "", "", "Sessions that were opened."},
     &ShardCounters::sessions_opened,
     &ShardStats::sessions_opened},
    {{"messages", CounterKind::kCounter, "", "",
      "Messages that were sent to clients, without acks, errors, heartbeats and other control messages."},
     &ShardCounters::messages,
     &ShardStats::messages},
    {{"bytes", CounterKind::kCounter, "bytes", "",
      "Bytes of frames that were handed to sockets, control messages included."},
     &ShardCounters::bytes,
     &ShardStats::bytes},
    {{"writes", CounterKind::kCounter, "", "", "Writes to sockets; one write carries many messages."},
     &ShardCounters::writes,
     &ShardStats::writes},
    {{"turns", CounterKind::kCounter, "", "", "Turns of the loops in which there was something to send."},
     &ShardCounters::turns,
     &ShardStats::turns},
    {{"conflated", CounterKind::kCounter, "", "",
      "Times that a subscription fell behind because its client's socket was full; it then skips states."},
     &ShardCounters::conflated,
     &ShardStats::conflated},
    {{"gaps", CounterKind::kCounter, "", "", "Gap messages: events that a client was told it will not get."},
     &ShardCounters::gaps,
     &ShardStats::gaps},
    {{"linked", CounterKind::kCounter, "", "", "Messages sent compressed against earlier ones."},
     &ShardCounters::linked,
     &ShardStats::linked},
    {{"standalone", CounterKind::kCounter, "", "", "Messages sent compressed by themselves."},
     &ShardCounters::standalone,
     &ShardStats::standalone},
    {{"overruns", CounterKind::kCounter, "", "",
      "Times that a loop was too slow for what was published, so that its clients skipped states."},
     &ShardCounters::overruns,
     &ShardStats::overruns},
}};

inline constexpr std::array<ShardReasonRow, 5> kShardReasons{{
    {{"errors", CounterKind::kCounter, "", "reason",
      "Errors that were sent to clients, also within an ack, by their code."},
     &ShardCounters::errors},
    {{"answers", CounterKind::kCounter, "", "reason",
      "Answers of authorizers and authenticators: allow, deny, or unavailable (failed or late)."},
     &ShardCounters::answers},
    {{"closes", CounterKind::kCounter, "", "reason",
      "WebSocket connections that the server closed, by the close code."},
     &ShardCounters::closes},
    {{"refused", CounterKind::kCounter, "", "reason",
      "Times that the process or the machine had no descriptors left, so that accepting paused."},
     &ShardCounters::refused},
    {{"limited", CounterKind::kCounter, "", "reason",
      "Times that a limit was in the way of a client, by the limit's name."},
     &ShardCounters::limited},
}};

inline constexpr std::array<ShardHistogramRow, 4> kShardHistograms{{
    {{"turn", CounterKind::kHistogram, "s", "", "Time that a turn of a loop took."}, &ShardCounters::turn},
    {{"age_at_write", CounterKind::kHistogram, "s", "",
      "Time from when the server received an update until it was handed to a socket: the oldest live update "
      "of each write, to the millisecond."},
     &ShardCounters::age_at_write},
    {{"messages_per_write", CounterKind::kHistogram, "", "",
      "Messages that one write carried; writes of control messages only are left out."},
     &ShardCounters::messages_per_write},
    {{"plugin_call", CounterKind::kHistogram, "s", "",
      "Time from a question to an authorizer or authenticator until its answer, or until its deadline."},
     &ShardCounters::plugin_call},
}};

inline ShardStats stats_of(const ShardCounters& counters) {
  ShardStats stats;
  for (const ShardNumberRow& row : kShardNumbers) stats.*row.value = (counters.*row.counter).get();
  return stats;
}

inline ShardStats& operator+=(ShardStats& sum, const ShardStats& more) {
  for (const ShardNumberRow& row : kShardNumbers) sum.*row.value += more.*row.value;
  return sum;
}

}  // namespace tickwire
