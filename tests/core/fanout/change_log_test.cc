#include "fanout/change_log.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace tickwire {
namespace {

TEST(ChangeLog, IsEmptyAtFirst) {
  const ChangeLog log;
  EXPECT_FALSE(log.first_after(0));
  EXPECT_EQ(log.last_number(), 0U);
}

TEST(ChangeLog, ATopicStandsWhereItChangedLast) {
  ChangeLog log;
  const auto first = log.add(7, 0);
  log.add(8, 0);
  const auto again = log.add(7, first);
  EXPECT_EQ(log.first_after(0)->topic_id, 8U);
  EXPECT_EQ(log.first_after(2)->topic_id, 7U);
  log.remove(again);
  EXPECT_FALSE(log.first_after(2));
}

// Topics change, come and go, some often and some never; what follows each number is what a map says.
TEST(ChangeLog, AgreesWithAMap) {
  constexpr std::uint32_t kTopics = 3'000;
  std::mt19937 random(5);
  ChangeLog log;
  std::map<TopicId, std::uint64_t> last;
  std::map<std::uint64_t, TopicId> oracle;
  for (int step = 0; step < 60'000; ++step) {
    const auto topic = static_cast<TopicId>(random() % 4 == 0 ? random() % kTopics : random() % 50);
    const std::uint64_t before = last[topic];
    oracle.erase(before);
    if (before != 0 && random() % 8 == 0) {
      log.remove(before);
      last[topic] = 0;
    } else {
      last[topic] = log.add(topic, before);
      oracle[last[topic]] = topic;
    }
    if (step % 50 != 0) continue;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t from = random() % (log.last_number() + 2);
      const auto right = oracle.upper_bound(from);
      const auto found = log.first_after(from);
      ASSERT_EQ(found.has_value(), right != oracle.end());
      if (!found) continue;
      ASSERT_EQ(found->number, right->first);
      ASSERT_EQ(found->topic_id, right->second);
    }
  }
}

}  // namespace
}  // namespace tickwire
