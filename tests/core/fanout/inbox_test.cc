#include "fanout/inbox.h"

#include <gtest/gtest.h>

#include <vector>

#include "plant.h"

namespace tickwire {
namespace {

TEST(Inbox, TakesAsManyAsItsLimitSaysAndSaysThatOneMoreWasLeftOut) {
  FakeClock clock;
  Hub hub(clock, {});
  const UpdatePtr update = *hub.publish("a", "{}");
  Inbox inbox([] {}, 3);
  std::vector<UpdatePtr> taken;
  for (int i = 0; i < 3; ++i) inbox.deliver(update);
  EXPECT_FALSE(inbox.take(taken)) << "at the limit";
  EXPECT_EQ(taken.size(), 3U);
  taken.clear();
  for (int i = 0; i < 4; ++i) inbox.deliver(update);
  EXPECT_TRUE(inbox.take(taken)) << "one past it";
  EXPECT_EQ(taken.size(), 3U);
  taken.clear();
  EXPECT_FALSE(inbox.take(taken)) << "said once";
}

// Both at once: value topics skip states, events come from the ring.
TEST(Overrun, CostsStatesInBetweenAndNoEvent) {
  ShardConfig config;
  config.inbox_updates_max = 2;
  Plant plant(config, {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 4}});
  Client exact(plant), pattern(plant);
  exact.subscribe("v.a");
  exact.subscribe("e.a");
  pattern.subscribe(">");
  plant.publish("v.a", R"({"n":1})");
  plant.publish("e.a", R"({"n":1})");
  plant.run();
  exact.heard(), pattern.heard();
  for (int n = 2; n < 6; ++n) {
    plant.publish("v.a", R"({"n":)" + std::to_string(n) + "}");
    plant.publish("e.a", R"({"n":)" + std::to_string(n) + "}");
  }
  plant.publish("v.new", R"({"n":1})");
  plant.run();
  const Lines news{"update v.a 2", "update e.a 2", "snapshot v.a 5",
                   "update e.a 3", "update e.a 4", "update e.a 5"};
  for (Client* client : {&exact, &pattern}) {
    const Lines heard = client->heard();
    for (const std::string& line : news)
      EXPECT_EQ(std::count(heard.begin(), heard.end(), line), 1) << line << ::testing::PrintToString(heard);
    const auto begun = std::count(heard.begin(), heard.end(), "snapshot v.new 1");
    EXPECT_EQ(begun, client == &pattern ? 1 : 0);
  }
  EXPECT_EQ(plant.shard.stats().overruns, 1U);
  plant.publish("v.a", R"({"n":6})");
  plant.run();
  EXPECT_EQ(exact.heard(), Lines{"update v.a 6"});
  EXPECT_EQ(pattern.heard(), Lines{"update v.a 6"});
}

}  // namespace
}  // namespace tickwire
