#include "session/topic_lookup.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace tickwire {
namespace {

TEST(TopicLookup, FindsWhatIsThereAndNothingElseWhateverCameAndWent) {
  std::mt19937 random(1);
  std::vector<Subscription> list;
  std::vector<SubscriptionIndex> unused;
  std::map<std::uint32_t, SubscriptionIndex> model;
  TopicLookup lookup;
  for (int step = 0; step < 60'000; ++step) {
    const auto topic = static_cast<std::uint32_t>(random() % 3'000);
    const auto known = model.find(topic);
    const auto found = lookup.find(list, topic);
    ASSERT_EQ(found.has_value(), known != model.end()) << step;
    if (found) {
      ASSERT_EQ(*found, known->second);
    }
    // The table grows first, then shrinks to nothing, twice.
    const bool add = (step / 15'000) % 2 == 0;
    if (add && !found) {
      SubscriptionIndex index = static_cast<SubscriptionIndex>(list.size());
      if (unused.empty()) {
        list.emplace_back();
      } else {
        index = unused.back();
        unused.pop_back();
      }
      list[index] = Subscription{};
      list[index].topic_id = topic;
      list[index].phase = Phase::kLive;
      lookup.insert(list, index);
      model[topic] = index;
    } else if (!add && found) {
      lookup.erase(list, *found);
      list[*found].phase = Phase::kUnused;
      unused.push_back(*found);
      model.erase(topic);
    }
  }
  EXPECT_LT(model.size(), 100U);
}

}  // namespace
}  // namespace tickwire
