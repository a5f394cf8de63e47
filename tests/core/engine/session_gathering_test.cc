#include "engine/session_gathering.h"

#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/work.h"
#include "fakes/fake_offload.h"
#include "fanout/plant.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr int kManySessions = 3'000;  // several pieces

struct TwoShards {
  TwoShards() : first(config(0)), second(config(1)) { offload.at_once = true; }

  void gather(const SessionsQuery& query = {}) {
    gather_sessions({&first.shard, &second.shard}, query, offload, [this](const std::string& text) {
      EXPECT_FALSE(told) << "told twice";
      told = json::parse(text);
    });
  }
  [[nodiscard]] std::vector<std::string> sessions() const {
    std::vector<std::string> names;
    for (const json& one : told->at("sessions")) names.push_back(one.at("session"));
    return names;
  }

  static ShardConfig config(std::uint32_t index) {
    ShardConfig config;
    config.index = index;
    return config;
  }

  FakeOffload offload;
  Plant first;
  Plant second;
  std::optional<json> told;
};

TEST(SessionGathering, TellsWhenEveryShardHasTold) {
  TwoShards shards;
  const Client a(shards.first), b(shards.second), c(shards.second);
  shards.gather();
  EXPECT_FALSE(shards.told);
  shards.second.run();
  EXPECT_FALSE(shards.told);
  shards.first.run();
  ASSERT_TRUE(shards.told);
  EXPECT_EQ(shards.told->at("total"), 3);
  EXPECT_EQ(shards.sessions(), (std::vector<std::string>{"0-1", "1-1", "1-2"}));
}

TEST(SessionGathering, TheOrderAndTheLimitHoldOverAllShards) {
  TwoShards shards;
  Client a(shards.first), b(shards.second), c(shards.second);
  a.subscribe("t.*");
  b.subscribe("t.*");
  shards.second.publish("t.a", "{}");
  shards.second.publish("t.b", "{}");
  shards.first.publish("t.a", "{}");
  for (Plant* plant : {&shards.first, &shards.second}) plant->run();
  for (const auto& [limit, expected] : std::vector<std::pair<std::size_t, std::vector<std::string>>>{
           {2, {"1-1", "0-1"}}, {3, {"1-1", "0-1", "1-2"}}, {4, {"1-1", "0-1", "1-2"}}}) {
    shards.told.reset();
    shards.gather({.sort = &SessionReport::messages, .limit = limit});
    for (Plant* plant : {&shards.first, &shards.second}) plant->run();
    EXPECT_EQ(shards.sessions(), expected);
    EXPECT_EQ(shards.told->at("total"), 3);
  }
  EXPECT_EQ(shards.told->at("counters").at("messages"), 3);
}

TEST(SessionGathering, ManySessionsAreToldInPiecesAndSortedElsewhere) {
  TwoShards shards;
  shards.offload.at_once = false;
  std::deque<Client> clients;
  for (int i = 0; i < kManySessions; ++i) clients.emplace_back(shards.first);
  clients[1'234].subscribe("t.*");
  shards.gather({.sort = &SessionReport::patterns, .limit = 2});
  shards.second.run();
  std::uint64_t longest = 0;
  int calls = 0;
  for (; shards.offload.waiting() == 0; ++calls) {
    ASSERT_LT(calls, 100);
    const std::uint64_t before = Work::done();
    shards.first.shard.run();
    longest = std::max(longest, Work::done() - before);
  }
  EXPECT_GT(calls, 4);
  EXPECT_LT(longest, 4 * kPieceSteps);
  EXPECT_FALSE(shards.told) << "no loop sorts them";
  shards.offload.run_all();
  EXPECT_EQ(shards.told->at("total"), kManySessions);
  EXPECT_EQ(shards.sessions(), (std::vector<std::string>{"0-1235", "0-1"}));
}

TEST(SessionGathering, AShardThatStopsBetweenThePiecesTellsWhatItHas) {
  TwoShards shards;
  std::deque<Client> clients;
  for (int i = 0; i < kManySessions; ++i) clients.emplace_back(shards.first);
  shards.gather();
  shards.second.run();
  shards.first.shard.run();
  EXPECT_FALSE(shards.told);
  shards.first.shard.stop();
  ASSERT_TRUE(shards.told);
  EXPECT_EQ(shards.told->at("total"), kManySessions);
}

TEST(SessionGathering, AShardThatHasStoppedHasNoSessions) {
  TwoShards shards;
  const Client a(shards.first);
  shards.second.shard.stop();
  shards.gather();
  shards.first.run();
  ASSERT_TRUE(shards.told);
  EXPECT_EQ(shards.told->at("total"), 1);
  shards.first.shard.stop();
  shards.told.reset();
  shards.gather();
  ASSERT_TRUE(shards.told) << "nobody is left to wait for";
  EXPECT_EQ(shards.told->at("sessions"), json::array());
}

TEST(SessionGathering, AShardThatStopsMeanwhileTellsStill) {
  TwoShards shards;
  const Client a(shards.first);
  shards.gather();
  shards.second.shard.stop();
  EXPECT_FALSE(shards.told);
  shards.first.shard.stop();
  ASSERT_TRUE(shards.told);
  EXPECT_EQ(shards.told->at("sessions").at(0).at("state"), "open");
}

TEST(SessionGathering, ASessionIsSpelledAsDocumented) {
  TwoShards shards;
  ClientInfo info;
  info.remote = "192.0.2.7:4711";
  info.subject = "m\"ia";
  Client client(shards.first, info, Compression::kContext, Format::kCbor);
  shards.gather();
  for (Plant* plant : {&shards.first, &shards.second}) plant->run();
  json expected{{"session", "0-1"}, {"remote", "192.0.2.7:4711"}, {"subject", "m\"ia"},
                {"format", "cbor"}, {"compression", "context"},   {"state", "open"}};
  for (const auto& [name, number] : kSessionNumbers) expected[std::string(name)] = 0;
  expected["bytes"] = shards.told->at("sessions").at(0).at("bytes");
  EXPECT_GT(expected["bytes"], 0) << "the welcome";
  EXPECT_EQ(shards.told->at("sessions").at(0), expected);
}

}  // namespace
}  // namespace tickwire
