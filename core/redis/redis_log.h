// RedisLog: the cluster's log and table in Redis 7 or Valkey, over one connection. What it keeps there is in
// scripts.h.
//
// One thread at a time, but for end() and connected(). A read of a log in which nothing is new waits for
// kReadMsMax.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cluster/log.h"
#include "redis/redis_link.h"
#include "redis/scripts.h"

namespace tickwire::redis {

inline constexpr int kReadMsMax = 500;
inline constexpr std::size_t kRowBytesAtOnce = std::size_t{4} << 20U;

class RedisLog final : public cluster::Log, public cluster::Table {
 public:
  // `name` tells the clusters of one engine apart.
  RedisLog(const RedisUrl& url, const std::string& name, std::chrono::milliseconds timeout);

  // kBadConfig: the engine cannot be used as it is; kUnavailable: it cannot be reached.
  Status open() { return link_.open(); }
  void end() { link_.end(); }
  [[nodiscard]] bool connected() const { return link_.connected(); }
  // Why the last call failed; empty: it did not.
  [[nodiscard]] const std::string& problem() const {
    return link_.problem().empty() ? problem_ : link_.problem();
  }

  Result<cluster::LogState> hello(const cluster::Hello& hello) override;
  Result<cluster::Appended> append(const cluster::Batch& batch) override;
  Result<cluster::LogState> state(const std::string& node) override;
  Result<std::vector<cluster::Entry>> read(std::uint64_t after, std::size_t most) override;

  Result<bool> begin(const std::string& right, const std::string& node, const std::string& epoch,
                     std::uint64_t n) override;
  Result<bool> write(const std::string& right, const std::vector<cluster::Row>& rows) override;
  Result<bool> end(const std::string& right, const cluster::Position& at, std::uint64_t trim) override;
  Result<cluster::Position> written() override;
  Result<cluster::Rows> read_rows(const std::string& cursor) override;
  Result<bool> claim_seed(const std::string& attempt) override;
  Result<bool> seed(const std::string& attempt, const std::vector<cluster::Row>& rows) override;
  Result<bool> open(const std::string& attempt, const cluster::Position& at, const std::string& epoch,
                    const std::string& nonce) override;

 private:
  using Words = RedisLink::Words;
  Result<Reply> run(Script script, const Words& arguments);
  Result<bool> decide(const Words& arguments);
  Result<bool> put_rows(std::string_view act, const std::string& right, int ms,
                        const std::vector<cluster::Row>& rows);

  Error not_ours(const std::string& what);
  Result<cluster::LogState> state_of(const redisReply* reply);

  RedisLink link_;
  std::vector<std::string> keys_;
  std::string problem_;  // of what is kept there
};

}  // namespace tickwire::redis
