// What time does to topics, and that it costs nothing where it does nothing.
#include <gtest/gtest.h>

#include "base/work.h"
#include "fakes/fake_clock.h"
#include "hub/hub.h"

namespace tickwire {
namespace {

// Looks are counted, so the machine does not matter.
TEST(Sweep, CostsWhatIsDueHoweverManyTopicsThereAre) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = "old.>", .ring_ms = 60'000}, {.pattern = "age.>", .stale_after_ms = 30'000}});
  const auto looks = [&] {
    const std::uint64_t before = Work::done();
    hub.sweep();
    return Work::done() - before;
  };
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(hub.publish("quiet.t" + std::to_string(i), "{}"));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(hub.publish("old.t" + std::to_string(i), "{}"));
    ASSERT_TRUE(hub.publish("age.t" + std::to_string(i), "{}"));
  }
  hub.sweep();  // the rings have their share of the memory
  EXPECT_EQ(looks(), 0U);
  clock.advance_ms(29'000);
  EXPECT_EQ(looks(), 0U);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(hub.publish("age.t" + std::to_string(i), "{}"));
  clock.advance_ms(1'001);
  EXPECT_EQ(looks(), 10U);
  EXPECT_EQ(hub.stale_count(), 5U);
  EXPECT_EQ(looks(), 0U);
  clock.advance_ms(30'000);
  EXPECT_EQ(looks(), 15U) << "five that have become too old since, and ten rings";
  EXPECT_EQ(hub.stale_count(), 10U);
  EXPECT_EQ(hub.find_topic("old.t0")->ring_between(1, 1).size(), 0U);
  clock.advance_ms(3'600'000);
  EXPECT_EQ(looks(), 0U) << "nothing is left that time could do to them";
}

TEST(Sweep, AShorterLimitCountsForTopicsThatAreThere) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = "a", .stale_after_ms = 60'000}});
  ASSERT_TRUE(hub.publish("a", "{}"));
  hub.set_rules({{.pattern = "a", .stale_after_ms = 5'000}});
  clock.advance_ms(5'001);
  hub.sweep();
  EXPECT_EQ(hub.find("a")->status(), TopicStatus::kStale);
}

TEST(Sweep, ATopicThatIsLiveAgainIsLookedAtAgain) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = "a", .stale_after_ms = 5'000}});
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(hub.publish("a", "{}"));
    EXPECT_EQ(hub.find("a")->status(), TopicStatus::kLive);
    clock.advance_ms(5'001);
    hub.sweep();
    EXPECT_EQ(hub.find("a")->status(), TopicStatus::kStale) << round;
  }
}

TEST(Sweep, ARingThatFillsAgainIsLookedAtAgain) {
  FakeClock clock;
  Hub hub(clock, {{.pattern = "a", .ring_ms = 5'000, .stale_after_ms = 3'600'000}});
  for (std::uint64_t round = 1; round < 4; ++round) {
    ASSERT_TRUE(hub.publish("a", "{}"));
    EXPECT_EQ(hub.find_topic("a")->ring_between(round, round).size(), 1U);
    clock.advance_ms(5'001);
    hub.sweep();
    EXPECT_EQ(hub.find_topic("a")->ring_between(1, round).size(), 0U) << round;
  }
}

}  // namespace
}  // namespace tickwire
