// The subscriptions of a session that no client asked for are found in pieces, however many there are.
#include <gtest/gtest.h>

#include "fakes/fake_socket.h"
#include "session/session.h"

namespace tickwire {
namespace {

Subscription to(std::uint32_t topic, bool child) {
  Subscription made;
  made.topic_id = topic;
  made.phase = Phase::kBehind;
  made.child = child;
  made.asked = !child;
  return made;
}

TEST(Children, EachIsFoundOnceInPiecesWhateverCameAndWent) {
  FakeSocket socket;
  Session session(0, socket, {}, {});
  std::size_t place = 0;
  EXPECT_FALSE(session.next_child(place, Budget()));
  for (std::uint32_t topic = 0; topic < 100'000; ++topic) session.add(to(topic, topic % 2 == 0));
  for (std::uint32_t index = 0; index < 1'000; ++index) session.remove(index);
  session.adopt_child(session.exact()[2'000]);
  session.make_child(2'001);
  std::vector<SubscriptionIndex> found;
  std::uint64_t longest = 0;
  int pieces = 0;
  for (place = 0; place < session.exact().size(); ++pieces) {
    const std::uint64_t before = Work::done();
    const Budget budget(100);
    while (const auto child = session.next_child(place, budget)) {
      Work::count();
      found.push_back(*child);
    }
    longest = std::max(longest, Work::done() - before);
  }
  EXPECT_GT(pieces, 100);
  EXPECT_LE(longest, 102U);
  ASSERT_EQ(found.size(), 49'500U);
  EXPECT_TRUE(std::ranges::is_sorted(found));
  EXPECT_EQ(found.front(), 1'000U);
  EXPECT_FALSE(std::ranges::binary_search(found, 2'000U));
  EXPECT_TRUE(std::ranges::binary_search(found, 2'001U));
}

TEST(Children, WhereThereAreNoneNothingIsLookedAt) {
  FakeSocket socket;
  Session session(0, socket, {}, {});
  for (std::uint32_t topic = 0; topic < 100'000; ++topic) session.add(to(topic, false));
  std::size_t place = 0;
  const std::uint64_t before = Work::done();
  EXPECT_FALSE(session.next_child(place, Budget()));
  EXPECT_EQ(place, session.exact().size());
  EXPECT_EQ(Work::done(), before);
}

}  // namespace
}  // namespace tickwire
