// How many topics, patterns and images the plant takes; what is there goes on.
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "hub/hub.h"

namespace tickwire {
namespace {

class NoSink final : public UpdateSink {
 public:
  void deliver(const UpdatePtr& /*update*/) override {}
  bool deliver_epoch(const std::string& /*epoch*/) override { return false; }
};

struct Limited {
  explicit Limited(const HubLimits& limits)
      : hub(clock, {}, kRingBytesMaxDefault, kLingerUsDefault, limits) {}
  std::optional<Limit> refused(const char* topic, const std::string& data) {
    const auto published = hub.publish(topic, data);
    if (published) return std::nullopt;
    EXPECT_EQ(published.error().code, ErrorCode::kTooMany);
    return published.error().limit;
  }
  FakeClock clock;
  Hub hub;
};

TEST(HubLimits, TopicsPastTheLimitAreRefusedAndThoseThereGoOn) {
  Limited plant({.topics_max = 2});
  EXPECT_FALSE(plant.refused("a", "{}"));
  EXPECT_FALSE(plant.refused("b", "{}"));
  EXPECT_EQ(plant.refused("c", "{}"), Limit::kTopics);
  EXPECT_FALSE(plant.refused("a", R"({"x":1})"));
  NoSink sink;
  const SinkId id = plant.hub.add_sink(sink);
  EXPECT_EQ(plant.hub.add_interest(id, "c").error().limit, Limit::kTopics)
      << "a subscription makes a topic, too";
  EXPECT_TRUE(plant.hub.add_interest(id, "b").ok());
  plant.hub.remove_sink(id);
}

TEST(HubLimits, PatternsPastTheLimitAreRefused) {
  Limited plant({.patterns_max = 1});
  NoSink sink;
  const SinkId id = plant.hub.add_sink(sink);
  EXPECT_TRUE(plant.hub.room_for_pattern().ok());
  const Pattern pattern = Pattern::parse("a.*").value();
  plant.hub.add_pattern_interest(id, pattern);
  EXPECT_EQ(plant.hub.room_for_pattern().error().limit, Limit::kPatterns);
  plant.hub.drop_pattern_interest(id, pattern);
  EXPECT_TRUE(plant.hub.room_for_pattern().ok());
  plant.hub.remove_sink(id);
}

TEST(HubLimits, ImagesMayFillTheirRoomAndNotGrowPastIt) {
  const std::string ten = R"({"x":"12"})";
  ASSERT_EQ(ten.size(), 10U);
  Limited plant({.image_bytes_max = 20});
  EXPECT_FALSE(plant.refused("a", ten));
  EXPECT_FALSE(plant.refused("b", ten));
  EXPECT_EQ(plant.hub.image_bytes(), 20U);
  EXPECT_EQ(plant.refused("c", "{}"), Limit::kImages);
  EXPECT_EQ(plant.hub.topic_count(), 2U) << "what was refused leaves no topic behind";
  EXPECT_EQ(plant.refused("a", R"({"x":"123"})"), Limit::kImages);
  EXPECT_EQ(plant.refused("a", R"({"y":1})"), Limit::kImages);
  EXPECT_EQ(plant.hub.find("a")->image(), ten);
  EXPECT_FALSE(plant.refused("a", R"({"x":"34"})")) << "it does not grow";
  EXPECT_FALSE(plant.refused("a", R"({"x":1})"));
  EXPECT_EQ(plant.hub.image_bytes(), 17U);
  EXPECT_FALSE(plant.refused("c", "{}"));
}

TEST(HubLimits, WithoutMemoryNothingNewIsTakenUntilThereIsSome) {
  Limited plant({});
  EXPECT_FALSE(plant.refused("a", "{}"));
  plant.hub.set_memory_full(true);
  EXPECT_EQ(plant.refused("b", "{}"), Limit::kMemory);
  EXPECT_EQ(plant.hub.room_for_pattern().error().limit, Limit::kMemory);
  EXPECT_FALSE(plant.refused("a", R"({"x":1})"));
  plant.hub.set_memory_full(false);
  EXPECT_FALSE(plant.refused("b", "{}"));
}

}  // namespace
}  // namespace tickwire
