#include "hub/topic_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

struct TopicIndexTest : testing::Test {
  FakeClock clock;
  TopicCommons commons{.clock = clock, .ring_bytes_max = 0, .linger_us = 0};
};

TEST_F(TopicIndexTest, FindsNothingWhenEmpty) {
  const TopicIndex index;
  EXPECT_EQ(index.find("a"), nullptr);
  EXPECT_EQ(index.size(), 0U);
}

TEST_F(TopicIndexTest, TellsApartNamesThatShareAHash) {
  TopicIndex index;
  Topic topic("a", 0, 0, commons);
  index.insert(topic);
  EXPECT_EQ(index.find("a"), &topic);
  EXPECT_EQ(index.find("b", TopicIndex::hash("a")), nullptr);
}

// Topics come and go; after each step all names, there or not, are found as a map finds them.
TEST_F(TopicIndexTest, AgreesWithAMap) {
  constexpr int kNames = 60;
  std::mt19937 random(7);
  TopicIndex index;
  std::map<std::string, std::unique_ptr<Topic>> oracle;
  for (int step = 0; step < 3'000; ++step) {
    const std::string name = "t." + std::to_string(random() % kNames);
    // Grows in the first half, shrinks in the second.
    const bool add = (random() % 4 != 0) == (step % 1'000 < 500);
    if (const auto found = oracle.find(name); found == oracle.end() && add) {
      auto topic = std::make_unique<Topic>(name, 0, 0, commons);
      index.insert(*topic);
      oracle.emplace(name, std::move(topic));
    } else if (found != oracle.end() && !add) {
      index.erase(*found->second);
      oracle.erase(found);
    }
    ASSERT_EQ(index.size(), oracle.size());
    for (int i = 0; i < kNames; ++i) {
      const std::string each = "t." + std::to_string(i);
      const auto found = oracle.find(each);
      ASSERT_EQ(index.find(each), found == oracle.end() ? nullptr : found->second.get()) << each;
    }
  }
}

// While a table is carried over to its successor, nothing is lost, found twice or kept too long.
TEST_F(TopicIndexTest, FindsEverythingWhileItGrows) {
  constexpr std::size_t kTopics = 5'000;
  std::mt19937 random(11);
  TopicIndex index;
  std::vector<std::unique_ptr<Topic>> there;
  const auto check_all = [&] {
    for (const auto& topic : there) ASSERT_EQ(index.find(topic->name), topic.get()) << topic->name;
  };
  for (std::size_t i = 0; there.size() < kTopics; ++i) {
    there.push_back(std::make_unique<Topic>("t." + std::to_string(i), 0, 0, commons));
    index.insert(*there.back());
    if (random() % 5 == 0) {
      std::swap(there[random() % there.size()], there.back());
      index.erase(*there.back());
      ASSERT_EQ(index.find(there.back()->name), nullptr);
      there.pop_back();
    }
    if (i % 97 == 0) check_all();
  }
  check_all();
  ASSERT_EQ(index.size(), there.size());
}

}  // namespace
}  // namespace tickwire
