// RedisLink: one connection to an engine, made when it is needed, and again after it broke.
//
//     closed ──call()──> opened, and that call says kUnavailable ──call()──> its answer
//        ^                                                            │ the engine is silent, or another one
//        └────────────────────────────────────────────────────────────┘
//
// The call that finds no connection is not made, since the engine may be another one now, or the same after a
// loss: who was in the middle of something hears of it. Who begins anew calls open() first.
//
// One thread at a time, but for end(). A call waits as long as `timeout` for each of its packets. The process
// ignores SIGPIPE: hiredis writes to connections that may have ended.
#pragma once

#include <hiredis.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "redis/redis_url.h"
#include "redis/reply.h"

namespace tickwire::redis {

inline constexpr std::chrono::milliseconds kConnectMsMax{1'000};

class RedisLink {
 public:
  RedisLink(RedisUrl url, std::chrono::milliseconds timeout) : url_(std::move(url)), timeout_(timeout) {}

  using Words = std::vector<std::string_view>;
  // kUnavailable: nobody answered, or the engine refused; kBadConfig: it is none that can be used.
  Result<Reply> call(const Words& words);
  // Connects, if it is not connected. kBadConfig: what the engine is, or how it is configured, will not do.
  Status open();
  // From now on it does not connect any more, and a call that waits ends. Any thread.
  void end();

  // It names the process that is connected: no other one has the same.
  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  [[nodiscard]] const std::string& sha(std::size_t script) const { return shas_.at(script); }
  [[nodiscard]] bool connected() const { return connected_; }  // any thread
  // Why it last failed; empty: the last call did not.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  Status connect();
  Status log_in();
  Status look_at_engine();
  Status load_scripts();
  void close();
  Result<Reply> ask(const Words& words);
  Error failed(Error error);
  Error away(std::string_view why);

  const RedisUrl url_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<redisContext, FreeContext> context_;
  std::string run_id_;
  std::vector<std::string> shas_;
  std::string problem_;
  std::atomic<bool> connected_ = false;

  Mutex mutex_;
  bool ended_ GUARDED_BY(mutex_) = false;
  int fd_ GUARDED_BY(mutex_) = -1;  // of what is connected
};

}  // namespace tickwire::redis
