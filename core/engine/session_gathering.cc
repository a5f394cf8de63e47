#include "engine/session_gathering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "protocol/encode.h"

namespace tickwire {
namespace {

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kContext:
      return "context";
    case Compression::kNoContext:
      return "no_context";
  }
  return "?";
}

void append_json(std::string& out, const SessionReport& report) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"session":{},"remote":{},"format":"{}","compression":"{}","state":"{}")",
                 quote_json(report.session), quote_json(report.remote), tickwire::name_of(report.format),
                 name_of(report.compression), tickwire::name_of(report.state));
  for (const auto& [name, number] : kSessionNumbers) {
    fmt::format_to(std::back_inserter(out), R"(,"{}":{})", name, report.*number);
  }
  out += '}';
}

// What the shards counted since they started, sessions that have gone included.
std::string counters_json(const std::vector<Shard*>& shards) {
  ShardStats sum;
  for (const Shard* shard : shards) sum += shard->stats();
  std::string text = "{";
  for (const auto& [info, counter, value] : kShardNumbers) {
    if (info.kind != CounterKind::kCounter) continue;
    fmt::format_to(std::back_inserter(text), R"({}"{}":{})", text.size() > 1 ? "," : "", info.name,
                   sum.*value);
  }
  return text += '}';
}

class Gathering {
 public:
  Gathering(std::vector<Shard*> shards, const SessionsQuery& query, std::function<void(std::string)> done)
      : shards_(std::move(shards)), query_(query), done_(std::move(done)), open_(shards_.size()) {}

  [[nodiscard]] const std::vector<Shard*>& shards() const { return shards_; }
  [[nodiscard]] const SessionsQuery& query() const { return query_; }

  void add(SessionList told) {
    {
      const std::lock_guard lock(mutex_);
      std::ranges::move(told.sessions, std::back_inserter(list_.sessions));
      list_.total += told.total;
      if (--open_ > 0) return;
    }
    keep_first(list_.sessions, query_);
    done_(json());
  }

 private:
  [[nodiscard]] std::string json() const {
    std::string text =
        fmt::format(R"({{"total":{},"counters":{},"sessions":[)", list_.total, counters_json(shards_));
    for (const SessionReport& report : list_.sessions) {
      if (text.back() != '[') text += ',';
      append_json(text, report);
    }
    return text += "]}";
  }

  const std::vector<Shard*> shards_;
  const SessionsQuery query_;
  const std::function<void(std::string)> done_;
  std::mutex mutex_;
  // Protected by mutex_, until the last has told:
  SessionList list_;
  std::size_t open_;
};

}  // namespace

void gather_sessions(std::vector<Shard*> shards, const SessionsQuery& query,
                     std::function<void(std::string)> done) {
  const auto gathering = std::make_shared<Gathering>(std::move(shards), query, std::move(done));
  for (Shard* shard : gathering->shards()) {
    const bool asked =
        shard->post([gathering, shard] { gathering->add(shard->list_sessions(gathering->query())); });
    if (!asked) gathering->add({});
  }
}

}  // namespace tickwire
