#include "engine/metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>
#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

std::string read_document(const std::string& name) {
  std::ifstream file(std::string(TICKWIRE_SOURCE_DIR) + "/docs/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string whole_text(Metrics metrics) {
  return *metrics.run(Budget::unlimited());
}

// Every name that Prometheus stores for a counter.
std::set<std::string> stored_names() {
  std::set<std::string> names;
  for (const CounterInfo& info : all_counters()) {
    const std::string name = metric_name(info);
    if (info.kind != CounterKind::kHistogram) names.insert(name);
    if (info.kind == CounterKind::kHistogram)
      names.insert({name + "_bucket", name + "_sum", name + "_count"});
  }
  return names;
}

TEST(MetricsDocument, ListsEveryCounterAsItIs) {
  std::string table = "| metric | kind | unit | label | meaning |\n|---|---|---|---|---|\n";
  for (const CounterInfo& info : all_counters()) {
    constexpr std::array kKinds{"counter", "gauge", "histogram"};
    const std::string label = info.label.empty() ? "" : fmt::format(" `{}`", info.label);
    table += fmt::format("| `{}` | {} |{} |{} | {} |\n", metric_name(info),
                         kKinds.at(static_cast<std::size_t>(info.kind)),
                         info.unit.empty() ? "" : fmt::format(" {}", info.unit), label, info.help);
  }
  EXPECT_NE(read_document("OPERATIONS.md").find(table), std::string::npos) << "it must have:\n" << table;
}

TEST(MetricsDocument, TheDashboardAsksForNothingButWhatThereIs) {
  const std::string text = read_document("grafana-dashboard.json");
  const nlohmann::json dashboard = nlohmann::json::parse(text);
  EXPECT_GE(dashboard.at("panels").size(), 8U);
  const std::set<std::string> known = stored_names();
  const std::regex name("tickwire_[a-z_]+");
  std::set<std::string> asked;
  for (const auto& panel : dashboard.at("panels")) {
    for (const auto& target : panel.at("targets")) {
      const std::string expression = target.at("expr");
      for (std::sregex_iterator found(expression.begin(), expression.end(), name), end; found != end;
           ++found) {
        asked.insert(found->str());
        EXPECT_TRUE(known.contains(found->str())) << found->str() << " in " << expression;
      }
    }
  }
  EXPECT_GE(asked.size(), 12U);
}

TEST(MetricsTable, HasEachNameOnceAndOnlyBoundedLabels) {
  std::set<std::string_view> names;
  for (const CounterInfo& info : all_counters()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(std::set<std::string_view>({"", "channel", "feed", "reason"}).contains(info.label))
        << info.label;
    EXPECT_TRUE(info.help.ends_with('.')) << info.help;
  }
}

TEST(Metrics, CountTopicsByTheirFirstTokenAndNeverNameOne) {
  FakeClock clock;
  Hub hub(clock, {});
  for (const char* topic :
       {"ticker.BTC-USD", "ticker.ETH-USD", "ticker-x.A", "ticker", "trade.kraken.BTC-USD"}) {
    ASSERT_TRUE(hub.publish(topic, R"({"last":"1"})"));
  }
  ASSERT_TRUE(hub.publish("ticker.BTC-USD", R"({"last":"2"})"));
  ASSERT_TRUE(hub.set_status("ticker.ETH-USD", TopicStatus::kStale));
  Metrics::Sources sources;
  sources.hub = &hub;
  const std::string text = whole_text(Metrics(sources));
  for (const char* line :
       {"tickwire_topics{channel=\"ticker\"} 3\n", "tickwire_topics{channel=\"ticker-x\"} 1\n",
        "tickwire_topics{channel=\"trade\"} 1\n", "tickwire_stale_topics{channel=\"ticker\"} 1\n",
        "tickwire_published_total{channel=\"ticker\"} 4\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("BTC"), std::string::npos);
}

TEST(Metrics, HaveABoundedNumberOfChannelsWhateverIsPublished) {
  for (const std::size_t count : {kChannelsMax, kChannelsMax + 1, kChannelsMax + 900}) {
    FakeClock clock;
    Hub hub(clock, {});
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(hub.publish(fmt::format("c{}.x", i), "{}"));
    Metrics::Sources sources;
    sources.hub = &hub;
    const std::string text = whole_text(Metrics(sources));
    const std::regex line("tickwire_topics\\{.*");
    const auto lines =
        static_cast<std::size_t>(std::distance(std::sregex_iterator(text.begin(), text.end(), line), {}));
    EXPECT_EQ(lines, std::min(count, kChannelsMax + 1));
    const std::string others =
        fmt::format("tickwire_topics{{channel=\"(other)\"}} {}\n", count - kChannelsMax);
    EXPECT_EQ(text.find(others) != std::string::npos, count > kChannelsMax) << text;
  }
}

TEST(Metrics, AreMadeInPiecesThatABudgetBounds) {
  FakeClock clock;
  Hub hub(clock, {});
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(hub.publish(fmt::format("ticker.S{}", i), "{}"));
  Metrics::Sources sources;
  sources.hub = &hub;
  Metrics metrics(sources);
  int pieces = 0;
  std::optional<std::string> text;
  while (!text) {
    const std::uint64_t before = Work::done();
    text = metrics.run(Budget());
    EXPECT_LE(Work::done() - before, kPieceSteps + 1'000U) << "one piece";
    ++pieces;
  }
  EXPECT_GE(pieces, 5);
  EXPECT_NE(text->find("tickwire_topics{channel=\"ticker\"} 20000\n"), std::string::npos);
}

TEST(Metrics, SumWhatShardsCountAndShowPluginsUnderTheirNames) {
  FakeClock clock;
  Hub hub(clock, {});
  ShardCounters one;
  ShardCounters two;
  one.messages.add(2);
  two.messages.add(3);
  one.count(ErrorCode::kBadTopic);
  two.count(ErrorCode::kBadTopic);
  two.count(ErrorCode::kStoreIo);  // no client sees it by that name
  two.count(CloseCode::kTooSlow);
  Metrics::Sources sources;
  sources.hub = &hub;
  sources.shards = {&one, &two};
  sources.plugins["a\"b\\c\n"] = {.state = "running", .restarts = 7, .errors = 0};
  const std::string text = whole_text(Metrics(sources));
  for (const char* line :
       {"# TYPE tickwire_messages_total counter\ntickwire_messages_total 5\n",
        "tickwire_errors_total{reason=\"bad_topic\"} 2\n", "tickwire_errors_total{reason=\"internal\"} 1\n",
        "tickwire_closes_total{reason=\"1013\"} 1\n", "tickwire_loops 2\n",
        R"(tickwire_plugin_restarts_total{feed="a\"b\\c\n"} 7)"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Metrics, BucketsOfAHistogramAddUpAndTimesAreInSeconds) {
  FakeClock clock;
  Hub hub(clock, {});
  ShardCounters one;
  ShardCounters two;
  one.turn.observe(100);  // at a bound
  one.turn.observe(101);
  two.turn.observe(-5);
  two.turn.observe(6'000'000);
  two.messages_per_write.observe(3);
  Metrics::Sources sources;
  sources.hub = &hub;
  sources.shards = {&one, &two};
  const std::string text = whole_text(Metrics(sources));
  for (const char* line :
       {"tickwire_turn_seconds_bucket{le=\"0.0001\"} 2\ntickwire_turn_seconds_bucket{le=\"0.0002\"} 3\n",
        "tickwire_turn_seconds_bucket{le=\"5\"} 3\ntickwire_turn_seconds_bucket{le=\"+Inf\"} 4\n"
        "tickwire_turn_seconds_sum 6.000201\ntickwire_turn_seconds_count 4\n",
        "tickwire_messages_per_write_bucket{le=\"2\"} 0\ntickwire_messages_per_write_bucket{le=\"5\"} 1\n",
        "tickwire_messages_per_write_sum 3\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace tickwire
