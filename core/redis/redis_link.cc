#include "redis/redis_link.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "redis/scripts.h"

namespace tickwire::redis {
namespace {

constexpr int kVersionMin = 7;

timeval timeval_of(std::chrono::milliseconds time) {
  return {time.count() / 1'000, (time.count() % 1'000) * 1'000};
}

// A line of INFO.
std::string_view field_of(std::string_view info, std::string_view name) {
  for (std::size_t at = 0; at < info.size();) {
    const std::size_t end = std::min(info.find("\r\n", at), info.size());
    const std::string_view line = info.substr(at, end - at);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
      return line.substr(name.size() + 1);
    at = end + 2;
  }
  return {};
}

bool is_login(std::string_view fault) {
  return fault.starts_with("WRONGPASS") || fault.starts_with("NOAUTH") || fault.starts_with("NOPERM") ||
         fault.starts_with("ERR invalid password") || fault.starts_with("ERR AUTH");
}

}  // namespace

Error RedisLink::failed(Error error) {
  problem_ = error.message;
  return error;
}

Error RedisLink::away(std::string_view why) {
  return failed({ErrorCode::kUnavailable, "the engine at " + url_.text() + ": " + std::string(why), ""});
}

Result<Reply> RedisLink::call(const Words& words) {
  if (context_) return ask(words);
  if (const Status opened = open(); !opened) return opened.error();
  return Error{ErrorCode::kUnavailable, "the engine at " + url_.text() + " is connected anew", ""};
}

Result<Reply> RedisLink::ask(const Words& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.data() == nullptr ? "" : word.data());
    sizes.push_back(word.size());
  }
  Reply reply(static_cast<redisReply*>(
      redisCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), sizes.data())));
  if (!reply) {
    const std::string why = context_->err == REDIS_ERR_IO ? "it does not answer" : context_->errstr;
    close();
    return away(why);
  }
  if (reply->type != REDIS_REPLY_ERROR) {
    problem_.clear();
    return reply;
  }
  const std::string fault(text_of(reply.get()));
  // Whoever is out of memory is the same one still.
  if (!fault.starts_with("OOM")) close();
  if (!is_login(fault)) return away(fault);
  return failed({ErrorCode::kBadConfig,
                 "cluster.url: " + url_.text() + " refuses its user or password: " + fault, "cluster.url"});
}

// --- connecting -----------------------------------------------------------------------------------------

Status RedisLink::open() {
  if (context_) return ok_status();
  Status opened = connect();
  if (opened) opened = log_in();
  if (opened) opened = look_at_engine();
  if (opened) opened = load_scripts();
  if (!opened) close();
  connected_ = opened.ok();
  return opened;
}

Status RedisLink::connect() {
  context_.reset(redisConnectWithTimeout(url_.host.c_str(), url_.port, timeval_of(kConnectMsMax)));
  if (!context_) return away("no memory for a connection");
  if (context_->err != 0) return away(context_->errstr);
  redisEnableKeepAlive(context_.get());
  if (redisSetTimeout(context_.get(), timeval_of(timeout_)) != REDIS_OK) return away(context_->errstr);
  const MutexLock lock(mutex_);
  if (ended_) return away("this server has stopped");
  fd_ = context_->fd;
  return ok_status();
}

Status RedisLink::log_in() {
  if (!url_.password.empty()) {
    Words login{"AUTH"};
    if (!url_.user.empty()) login.emplace_back(url_.user);
    login.emplace_back(url_.password);
    if (const auto answer = ask(login); !answer) return answer.error();
  }
  if (url_.database == 0) return ok_status();
  const auto answer = ask({"SELECT", std::to_string(url_.database)});
  return answer ? ok_status() : Status(answer.error());
}

Status RedisLink::look_at_engine() {
  const auto answer = ask({"INFO"});
  if (!answer) return answer.error();
  const std::string_view info = text_of(answer->get());
  const auto unfit = [this](const std::string& what) {
    return failed({ErrorCode::kBadConfig, "cluster.url: " + url_.text() + " " + what, "cluster.url"});
  };
  run_id_ = field_of(info, "run_id");
  if (run_id_.empty() || field_of(info, "master_replid").empty()) {
    return unfit(
        "does not say which process it is (run_id and master_replid in INFO), so that a loss could not be "
        "noticed; some managed services hide it");
  }
  const std::string_view version = field_of(info, "redis_version");
  if (number_of<int>(version.substr(0, version.find('.'))) < kVersionMin)
    return unfit("is Redis " + std::string(version) + "; Redis 7 or Valkey is needed");
  if (field_of(info, "redis_mode") == "cluster") return unfit("is a Redis Cluster; one primary is needed");
  if (const std::string_view policy = field_of(info, "maxmemory_policy"); policy.starts_with("allkeys-")) {
    return unfit("evicts any key when its memory is full (maxmemory-policy " + std::string(policy) +
                 "); set it to noeviction");
  }
  if (field_of(info, "role") != "master") return away("it is a replica, the primary is needed");
  return ok_status();
}

Status RedisLink::load_scripts() {
  shas_.clear();
  for (const std::string& script : scripts()) {
    const auto answer = ask({"SCRIPT", "LOAD", script});
    if (!answer) return answer.error();
    shas_.emplace_back(text_of(answer->get()));
  }
  return ok_status();
}

void RedisLink::close() {
  connected_ = false;
  {
    const MutexLock lock(mutex_);
    fd_ = -1;
  }
  context_.reset();
}

void RedisLink::end() {
  const MutexLock lock(mutex_);
  ended_ = true;
  if (fd_ >= 0) static_cast<void>(shutdown(fd_, SHUT_RDWR));
}

}  // namespace tickwire::redis
