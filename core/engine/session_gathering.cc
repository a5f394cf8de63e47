#include "engine/session_gathering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
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
                 R"({{"session":{},"remote":{},"subject":{},"format":"{}","compression":"{}","state":"{}")",
                 quote_json(report.session), quote_json(report.remote), quote_json(report.subject),
                 tickwire::name_of(report.format), name_of(report.compression),
                 tickwire::name_of(report.state));
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

// What all shards told. The last of them lets go of it, and has it put together.
class Gathering {
 public:
  Gathering(std::vector<Shard*> shards, const SessionsQuery& query, Offload& offload,
            std::function<void(std::string)> done)
      : shards_(std::move(shards)),
        query_(query),
        offload_(offload),
        done_(std::move(done)),
        told_(shards_.size()) {}
  ~Gathering() {
    // Thousands of sessions take longer to sort and to write than a loop may.
    offload_.run(Offload::kNobody, [shards = std::move(shards_), query = query_, done = std::move(done_),
                                    told = std::move(told_)]() mutable { done(json(shards, query, told)); });
  }
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  [[nodiscard]] const std::vector<Shard*>& shards() const { return shards_; }
  [[nodiscard]] SessionList& told(std::size_t shard) { return told_[shard]; }

 private:
  static std::string json(const std::vector<Shard*>& shards, const SessionsQuery& query,
                          std::vector<SessionList>& told) {
    SessionList all;
    for (SessionList& list : told) {
      std::ranges::move(list.sessions, std::back_inserter(all.sessions));
      all.total += list.total;
    }
    keep_first(all.sessions, query);
    std::string text =
        fmt::format(R"({{"total":{},"counters":{},"sessions":[)", all.total, counters_json(shards));
    for (const SessionReport& report : all.sessions) {
      if (text.back() != '[') text += ',';
      append_json(text, report);
    }
    return text += "]}";
  }

  std::vector<Shard*> shards_;
  const SessionsQuery query_;
  Offload& offload_;
  std::function<void(std::string)> done_;
  std::vector<SessionList> told_;  // by shard, each written on its loop
};

}  // namespace

void gather_sessions(std::vector<Shard*> shards, const SessionsQuery& query, Offload& offload,
                     std::function<void(std::string)> done) {
  const auto gathering = std::make_shared<Gathering>(std::move(shards), query, offload, std::move(done));
  for (std::size_t i = 0; i < gathering->shards().size(); ++i) {
    Shard* const shard = gathering->shards()[i];
    std::shared_ptr<SessionList> list(gathering, &gathering->told(i));
    shard->post([shard, query, list = std::move(list)] { shard->list_sessions(query, list); });
  }
}

}  // namespace tickwire
