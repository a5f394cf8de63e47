// What Engine does as an admin wants.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "engine/audit_log.h"
#include "engine/config_values.h"
#include "engine/engine.h"
#include "engine/logging.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

Result<LogLevel> parse_log_level(const std::string& level) {
  constexpr const auto& kNames = Names<LogLevel>::kAll;
  const auto* const found = std::ranges::find(kNames, level);
  if (found != kNames.end()) return static_cast<LogLevel>(found - kNames.begin());
  return Error{ErrorCode::kBadMessage,
               fmt::format("level: must be one of {}, not {}", fmt::join(kNames, ", "), level.substr(0, 40)),
               "level"};
}

constexpr std::int64_t kHaltMsMax = std::int64_t{366} * 24 * 60 * 60 * 1000;

// `what`: as the audit log has it.
void finish(const AdminActor& by, const std::string& what, const Status& outcome, std::string json,
            const AdminDone& done) {
  audit(by, outcome ? what : fmt::format("{} refused={}", what, quote_json(outcome.error().message)));
  done(outcome ? Result<std::string>(std::move(json)) : outcome.error());
}

}  // namespace

void Engine::act(const AdminAction& action, const AdminActor& by, AdminDone done) {
  std::visit([&](const auto& wanted) { perform(wanted, by, std::move(done)); }, action);
}

void Engine::note_refused(const AdminActor& by, std::string_view request) {
  const std::optional<std::size_t> left_out = refusals_.take(clock_.steady_us());
  if (!left_out) return;
  const std::string before = *left_out == 0 ? "" : fmt::format(" before_it={}", *left_out);
  audit(by, fmt::format("refused request={}{}", quote_json(request), before));
}

Result<std::string> Engine::act(const AdminAction& action) {
  if (!started_ || stopped_) return Error{ErrorCode::kDraining, "the server does not run", ""};
  auto answer = std::make_shared<std::promise<Result<std::string>>>();
  std::future<Result<std::string>> answered = answer->get_future();
  act(action, {"program", "this process"},
      [answer = std::move(answer)](Result<std::string> done) { answer->set_value(std::move(done)); });
  try {
    return answered.get();
  } catch (const std::future_error&) {  // the workers stopped, and let go of the promise
    return Error{ErrorCode::kDraining, "the server stops; whether the sessions ended is not known", ""};
  }
}

void Engine::perform(const Revoke& wanted, const AdminActor& by, AdminDone done) {
  session_ender_->end(wanted.target, SessionEnd::kRevoked, by, shards(), std::move(done));
}

void Engine::perform(const Disconnect& wanted, const AdminActor& by, AdminDone done) {
  session_ender_->end(wanted.target, SessionEnd::kDisconnected, by, shards(), std::move(done));
}

SessionEnder::Shards Engine::shards() const {
  SessionEnder::Shards shards;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    const bool stands = watchdog_->loops()[i].standing();
    (stands ? shards.standing : shards.turning).push_back(&loops_[i]->shard());
  }
  return shards;
}

void Engine::perform(const SetLogLevel& wanted, const AdminActor& by, const AdminDone& done) {
  const Result<LogLevel> level = parse_log_level(wanted.level);
  if (level) {
    const MutexLock lock(reload_mutex_);
    set_log_level(*level);
    settings_["log.level"].clear();  // so that a reload sets it back
  }
  finish(by, "log_level level=" + quote_json(wanted.level), level ? ok_status() : Status(level.error()),
         fmt::format(R"({{"level":{}}})", quote_json(wanted.level)), done);
}

void Engine::set_log_level(LogLevel level) {
  set_up_logging(level);
  bridge_.set_log_level(std::string(config_name(level)));
}

void Engine::perform(const Drain& /*wanted*/, const AdminActor& by, const AdminDone& done) {
  drained_ = true;
  drain_loops(Shard::Drained::kClients);
  finish(by, "drain", ok_status(), R"({"draining":true})", done);
}

void Engine::drain_loops(Shard::Drained whom) {
  const auto spread_ms = static_cast<int>(std::chrono::milliseconds(config_.reconnect).count());
  for (const auto& loop : loops_) loop->drain(spread_ms, whom);
}

void Engine::perform(const RestartPlugin& wanted, const AdminActor& by, const AdminDone& done) {
  finish(by, "restart_plugin plugin=" + quote_json(wanted.plugin), bridge_.restart_plugin(wanted.plugin),
         fmt::format(R"({{"plugin":{}}})", quote_json(wanted.plugin)), done);
}

void Engine::perform(const HaltTopic& wanted, const AdminActor& by, AdminDone done) {
  const std::string what = fmt::format("halt topic={} reason={} until={}", quote_json(wanted.topic),
                                       quote_json(wanted.reason), wanted.until_ms);
  const std::int64_t now_ms = clock_.wall_ms();
  Status taken = ok_status();
  if (wanted.until_ms > 0 && (wanted.until_ms <= now_ms || wanted.until_ms - now_ms > kHaltMsMax)) {
    taken = Error{
        ErrorCode::kBadMessage,
        fmt::format("until: {} must be after the server's time, {}, and at most 366 days after it (Unix "
                    "milliseconds); without it the halt lasts until it is ended",
                    wanted.until_ms, now_ms),
        "until"};
  } else if (publisher().is_shared()) {
    taken =
        Error{ErrorCode::kUnavailable,
              "topic: this server shares its topics with others, and a halt is of one server alone; let the "
              "feed set the status",
              "topic"};
  } else {
    taken = hub_.halt(wanted.topic, std::make_shared<const Halt>(wanted.reason, wanted.until_ms));
  }
  if (!taken) return finish(by, what, taken, {}, done);
  finish_halt(
      by, what,
      fmt::format(R"({{"topic":{},"reason":{},"until":{})", quote_json(wanted.topic),
                  quote_json(wanted.reason), wanted.until_ms > 0 ? std::to_string(wanted.until_ms) : "null"),
      std::move(done));
}

void Engine::perform(const EndHalt& wanted, const AdminActor& by, AdminDone done) {
  std::string what = "end_halt topic=" + quote_json(wanted.topic);
  const Result<std::uint64_t> withheld = hub_.end_halt(wanted.topic);
  if (!withheld) return finish(by, what, withheld.error(), {}, done);
  what += fmt::format(" withheld={}", *withheld);
  finish_halt(by, std::move(what),
              fmt::format(R"({{"topic":{},"withheld":{})", quote_json(wanted.topic), *withheld),
              std::move(done));
}

// Once the store has it, so that whoever asked knows whether a restart forgets it.
void Engine::finish_halt(const AdminActor& by, std::string what, std::string json, AdminDone done) {
  workers_.run(Offload::kNobody,
               [this, by, what = std::move(what), json = std::move(json), done = std::move(done)] {
                 const bool written = store_ != nullptr && store_->flush();
                 const std::string_view kept_in = written ? "store" : "memory";
                 finish(by, fmt::format("{} kept_in={}", what, kept_in), ok_status(),
                        fmt::format(R"({},"kept_in":"{}"}})", json, kept_in), done);
               });
}

std::string Engine::halts() const {
  std::string json = R"({"halts":[)";
  for (const HaltedTopic& halted : hub_.halted()) {
    if (json.back() == '}') json += ',';
    fmt::format_to(std::back_inserter(json), R"({{"topic":{},"reason":{},"until":{},"withheld":{}}})",
                   quote_json(halted.topic), quote_json(halted.halt->reason),
                   halted.halt->until_ms > 0 ? std::to_string(halted.halt->until_ms) : "null",
                   halted.withheld);
  }
  return json + "]}";
}

}  // namespace tickwire
