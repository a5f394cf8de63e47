#include "engine/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/fault.h"

namespace tickwire {
namespace {

constexpr CounterInfo kLoops{"loops", CounterKind::kGauge, "", "", "Loop threads."};
constexpr CounterInfo kLoopsStanding{
    "loops_standing", CounterKind::kGauge, "", "",
    "Loop threads that have not turned for a second, so that their clients get nothing."};
constexpr CounterInfo kMemory{"memory_bytes", CounterKind::kGauge, "bytes", "",
                              "Memory of the process, as it was measured within the last second."};
constexpr CounterInfo kMemoryLimit{"memory_limit_bytes", CounterKind::kGauge, "bytes", "",
                                   "The soft limit of the memory: limits.memory_mb."};
constexpr CounterInfo kImages{"image_bytes", CounterKind::kGauge, "bytes", "",
                              "Images of all topics together."};
constexpr CounterInfo kHalted{"halted_topics", CounterKind::kGauge, "", "",
                              "Topics that an operator holds (tickwire admin halt)."};
constexpr CounterInfo kWithheld{"withheld", CounterKind::kCounter, "", "",
                                "Updates that were not shown, because an operator held their topic."};
constexpr CounterInfo kCertificate{
    "certificate_expires", CounterKind::kGauge, "s", "",
    "Unix time at which the TLS certificate expires; absent where no address is https://."};
constexpr CounterInfo kTopics{"topics", CounterKind::kGauge, "", "channel",
                              "Topics to which something was published."};
constexpr CounterInfo kStale{"stale_topics", CounterKind::kGauge, "", "channel",
                             "Topics for whose value nobody vouches any more."};
constexpr CounterInfo kPublished{
    "published", CounterKind::kCounter, "", "channel",
    "Updates that were published, from the beginning of their topics' sequence; a store keeps it."};
constexpr CounterInfo kPluginRunning{"plugin_running", CounterKind::kGauge, "", "feed",
                                     "1 while the plugin's state is `running`."};
constexpr CounterInfo kPluginRestarts{"plugin_restarts", CounterKind::kCounter, "", "feed",
                                      "Times that a feed of the plugin was started again after an error."};
constexpr CounterInfo kPluginErrors{"plugin_errors", CounterKind::kCounter, "", "feed",
                                    "Exceptions and missed deadlines of the plugin's functions."};

struct ClusterRow {
  CounterInfo info;
  std::uint64_t (*value)(const ClusterStats&);
};
constexpr std::array kClusterRows{
    ClusterRow{{"cluster_serving", CounterKind::kGauge, "", "",
                "1 while this server has joined its cluster and is not cut off from Redis; absent, as all of "
                "cluster_*, without cluster.url."},
               [](const ClusterStats& c) -> std::uint64_t { return c.serves && !c.cut_off ? 1 : 0; }},
    ClusterRow{{"cluster_position", CounterKind::kGauge, "", "", "Entry of the log that was applied last."},
               [](const ClusterStats& c) { return c.position; }},
    ClusterRow{{"cluster_lag_entries", CounterKind::kGauge, "", "",
                "Entries that the log is ahead of this server, as far as it knows."},
               [](const ClusterStats& c) { return c.head > c.position ? c.head - c.position : 0; }},
    ClusterRow{{"cluster_outbox_bytes", CounterKind::kGauge, "bytes", "",
                "Updates of this server that are not back from the log yet."},
               [](const ClusterStats& c) { return c.outbox_bytes; }},
    ClusterRow{{"cluster_reloads", CounterKind::kCounter, "", "",
                "Times that this server started anew, since the log went on without what it had."},
               [](const ClusterStats& c) { return c.reloads; }},
    ClusterRow{{"cluster_seeds", CounterKind::kCounter, "", "",
                "Times that this server filled a Redis that was empty."},
               [](const ClusterStats& c) { return c.seeds; }},
    ClusterRow{{"cluster_fenced", CounterKind::kCounter, "", "",
                "Batches that were meant for an epoch before, and were sent again."},
               [](const ClusterStats& c) { return c.fenced; }},
};

constexpr CounterInfo kFaults{
    "faults", CounterKind::kCounter, "", "reason",
    "Exceptions that nobody expected: each ended one connection or task, and stands in the log."};

std::string_view type_of(CounterKind kind) {
  constexpr std::array<std::string_view, 3> kNames{"counter", "gauge", "histogram"};
  return kNames.at(static_cast<std::size_t>(kind));
}

// A label's value: the format gives three characters a meaning.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    if (byte == '\\' || byte == '"') out += '\\';
    if (byte == '\n') {
      out += "\\n";
    } else {
      out += byte;
    }
  }
  return out;
}

class Page {
 public:
  void begin(const CounterInfo& info) {
    info_ = &info;
    name_ = metric_name(info);
    append("# HELP {} {}\n# TYPE {} {}\n", name_, info.help, name_, type_of(info.kind));
  }
  void number(std::uint64_t value) { append("{} {}\n", name_, value); }
  void number(std::string_view label, std::uint64_t value) {
    append("{}{{{}=\"{}\"}} {}\n", name_, info_->label, escaped(label), value);
  }
  // The sum of some that have the same bounds.
  void histogram(const std::vector<const Histogram*>& parts) {
    if (parts.empty()) return;
    const std::span<const std::int64_t> bounds = parts.front()->bounds();
    const double per_unit = info_->unit == "s" ? 1e6 : 1;
    const auto sum_of = [&parts](auto number) {
      std::uint64_t sum = 0;
      for (const Histogram* part : parts) sum += number(*part);
      return sum;
    };
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      below += sum_of([i](const Histogram& part) { return part.bucket(i); });
      const std::string bound =
          i < bounds.size() ? fmt::format("{}", static_cast<double>(bounds[i]) / per_unit) : "+Inf";
      append("{}_bucket{{le=\"{}\"}} {}\n", name_, bound, below);
    }
    const auto sum = static_cast<double>(sum_of([](const Histogram& part) { return part.sum(); }));
    append("{}_sum {}\n{}_count {}\n", name_, sum / per_unit, name_, below);
  }
  std::string take() { return std::move(text_); }

 private:
  template <typename... Values>
  void append(fmt::format_string<const Values&...> format, const Values&... values) {
    Work::count();
    fmt::format_to(std::back_inserter(text_), format, values...);
  }

  const CounterInfo* info_ = nullptr;
  std::string name_;
  std::string text_;
};

void append_shards(Page& page, const std::vector<const ShardCounters*>& shards) {
  ShardStats sum;
  for (const ShardCounters* shard : shards) sum += stats_of(*shard);
  for (const ShardNumberRow& row : kShardNumbers) {
    page.begin(row.info);
    page.number(sum.*row.value);
  }
  for (const ShardReasonRow& row : kShardReasons) {
    page.begin(row.info);
    if (shards.empty()) continue;
    const std::span<const std::string_view> reasons = (shards.front()->*row.counter).reasons();
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      std::uint64_t count = 0;
      for (const ShardCounters* shard : shards) count += (shard->*row.counter).get(i);
      page.number(reasons[i], count);
    }
  }
  for (const ShardHistogramRow& row : kShardHistograms) {
    page.begin(row.info);
    std::vector<const Histogram*> parts;
    parts.reserve(shards.size());
    for (const ShardCounters* shard : shards) parts.push_back(&(shard->*row.histogram));
    page.histogram(parts);
  }
}

void append_store(Page& page, const StoreCounters* store) {
  for (const StoreCountRow& row : kStoreCounts) {
    page.begin(row.info);
    if (store != nullptr) page.number((store->*row.counter).get());
  }
  page.begin(kStoreFlush);
  if (store != nullptr) page.histogram({&store->flush});
}

void append_cluster(Page& page, const std::optional<ClusterStats>& cluster) {
  for (const ClusterRow& row : kClusterRows) {
    page.begin(row.info);
    if (cluster) page.number(row.value(*cluster));
  }
}

void append_plugins(Page& page, const std::map<std::string, PluginState>& plugins) {
  const auto append = [&](const CounterInfo& info, auto number) {
    page.begin(info);
    for (const auto& [name, state] : plugins) page.number(name, number(state));
  };
  append(kPluginRunning, [](const PluginState& plugin) { return plugin.state == "running" ? 1U : 0U; });
  append(kPluginRestarts, [](const PluginState& plugin) { return plugin.restarts; });
  append(kPluginErrors, [](const PluginState& plugin) { return plugin.errors; });
}

}  // namespace

std::string metric_name(const CounterInfo& info) {
  return fmt::format("tickwire_{}{}{}", info.name, info.unit == "s" ? "_seconds" : "",
                     info.kind == CounterKind::kCounter ? "_total" : "");
}

std::vector<CounterInfo> all_counters() {
  std::vector<CounterInfo> all;
  const auto add = [&all](const auto& rows) {
    std::ranges::transform(rows, std::back_inserter(all), [](const auto& row) { return row.info; });
  };
  add(kShardNumbers);
  add(kShardReasons);
  add(kShardHistograms);
  add(kStoreCounts);
  all.push_back(kStoreFlush);
  add(kClusterRows);
  all.insert(all.end(),
             {kLoops, kLoopsStanding, kFaults, kMemory, kMemoryLimit, kImages, kHalted, kWithheld,
              kCertificate, kTopics, kStale, kPublished, kPluginRunning, kPluginRestarts, kPluginErrors});
  return all;
}

std::optional<std::string> Metrics::run(const Budget& budget) {
  if (!count_topics(budget)) return std::nullopt;
  return text();
}

bool Metrics::count_topics(const Budget& budget) {
  static const Pattern kAll = Pattern::parse(">").value();
  std::vector<UpdatePtr> found;
  while (!budget.spent()) {
    found.clear();
    const bool end = sources_.hub->list(kAll, place_, kDirectoryRun, budget, found);
    for (const UpdatePtr& update : found) {
      Work::count();
      Channel& channel = channel_of(update->topic().name);
      ++channel.topics;
      if (update->status() == TopicStatus::kStale) ++channel.stale;
      channel.published += update->seq();
    }
    if (end) return true;
  }
  return false;
}

Metrics::Channel& Metrics::channel_of(std::string_view topic) {
  const std::string_view name = topic.substr(0, topic.find('.'));
  if (const auto known = channels_.find(name); known != channels_.end()) return known->second;
  return channels_[std::string(channels_.size() < kChannelsMax ? name : kOtherChannels)];
}

std::string Metrics::text() const {
  Page page;
  append_shards(page, sources_.shards);
  append_store(page, sources_.store);
  append_cluster(page, sources_.cluster);
  page.begin(kLoops);
  page.number(sources_.shards.size());
  page.begin(kLoopsStanding);
  page.number(sources_.watchdog == nullptr ? 0 : sources_.watchdog->standing());
  page.begin(kFaults);
  for (std::size_t i = 0; i < kBoundaryNames.size(); ++i) {
    page.number(kBoundaryNames.at(i), fault_count(static_cast<Boundary>(i)));
  }
  const auto append_number = [&page](const CounterInfo& info, std::uint64_t number) {
    page.begin(info);
    page.number(number);
  };
  append_number(kMemory, sources_.memory == nullptr ? 0 : sources_.memory->bytes());
  append_number(kMemoryLimit, sources_.memory == nullptr ? 0 : sources_.memory->limit());
  append_number(kImages, sources_.hub->image_bytes());
  append_number(kHalted, sources_.hub->halted_count());
  append_number(kWithheld, sources_.hub->withheld());
  page.begin(kCertificate);
  if (sources_.certificate_expires_s)
    page.number(static_cast<std::uint64_t>(std::max<std::int64_t>(*sources_.certificate_expires_s, 0)));
  const auto append = [&](const CounterInfo& info, std::uint64_t Channel::* number) {
    page.begin(info);
    for (const auto& [name, channel] : channels_) page.number(name, channel.*number);
  };
  append(kTopics, &Channel::topics);
  append(kStale, &Channel::stale);
  append(kPublished, &Channel::published);
  append_plugins(page, sources_.plugins);
  return page.take();
}

}  // namespace tickwire
