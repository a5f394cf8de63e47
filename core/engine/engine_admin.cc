// What Engine does as an admin wants.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <future>
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

}  // namespace tickwire
