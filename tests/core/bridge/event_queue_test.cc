#include "bridge/event_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

namespace tickwire {
namespace {

bool is_readable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  return ::poll(&wanted, 1, 0) == 1;
}

AccessQuestion question(std::uint64_t id, std::string topic = "premium.A") {
  AccessQuestion asked;
  asked.id = id;
  asked.shard = 3;
  asked.topic = std::move(topic);
  asked.client = std::make_shared<const ClientInfo>();
  return asked;
}

TEST(EventQueue, IsReadableExactlyWhileEventsWait) {
  EventQueue queue;
  const int fd = queue.notify_fd().value();
  EXPECT_FALSE(is_readable(fd));
  queue.push_demand(1, "a", true);
  queue.push_demand(1, "b", true);
  EXPECT_TRUE(is_readable(fd));
  EXPECT_EQ(queue.take().size(), 2U);
  EXPECT_FALSE(is_readable(fd));
  EXPECT_TRUE(queue.push_question(question(1)));
  EXPECT_TRUE(is_readable(fd));
}

TEST(EventQueue, KeepsOnlyTheLatestDemandOfATopic) {
  EventQueue queue;
  for (int i = 0; i < 1000; ++i) queue.push_demand(1, "a", i % 2 == 0);
  queue.push_demand(2, "a", true);
  const std::vector<BridgeEvent> events = queue.take();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_FALSE(std::get<DemandChange>(events[0]).wanted);
  EXPECT_EQ(std::get<DemandChange>(events[1]).feed, 2U);
}

TEST(EventQueue, TellsWhatAnAdminWantsOnceAndFirst) {
  EventQueue queue;
  const int fd = queue.notify_fd().value();
  queue.push_demand(1, "a", true);
  for (int i = 0; i < 1000; ++i) queue.push_restart("mine");
  queue.push_log_level("debug");
  queue.push_log_level("error");
  EXPECT_TRUE(is_readable(fd));
  const std::vector<BridgeEvent> events = queue.take();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(std::get<AdminWish>(events[0]).log_level, "error");
  EXPECT_EQ(std::get<AdminWish>(events[1]).restart, "mine");
  EXPECT_TRUE(queue.take().empty());
}

TEST(EventQueue, HandsOutQuestionsInTheOrderAsked) {
  EventQueue queue;
  for (const std::uint64_t id : {5U, 2U, 9U}) ASSERT_TRUE(queue.push_question(question(id)));
  const std::vector<BridgeEvent> events = queue.take();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(std::get<AccessQuestion>(events[0]).id, 5U);
  EXPECT_EQ(std::get<AccessQuestion>(events[2]).id, 9U);
}

TEST(EventQueue, KnowsWhoAskedUntilTheQuestionIsClosed) {
  EventQueue queue;
  ASSERT_TRUE(queue.push_question(question(7)));
  EXPECT_EQ(queue.close_question(7), 3U);
  EXPECT_EQ(queue.close_question(7), std::nullopt);
  EXPECT_EQ(queue.close_question(8), std::nullopt);
}

TEST(EventQueue, TakesSoManyQuestionsAndNotOneMore) {
  EventQueue queue;
  for (std::uint64_t id = 1; id <= kOpenQuestionsMax; ++id) ASSERT_TRUE(queue.push_question(question(id)));
  EXPECT_EQ(queue.push_question(question(0)).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(queue.take().size(), kOpenQuestionsMax);
  EXPECT_FALSE(queue.push_question(question(0))) << "taken, but not answered: still open";
  queue.close_question(1);
  EXPECT_TRUE(queue.push_question(question(0)));
}

TEST(EventQueue, HandsOutNoQuestionThatWasClosedBefore) {
  EventQueue queue;
  for (const std::uint64_t id : {1U, 2U, 3U}) ASSERT_TRUE(queue.push_question(question(id)));
  EXPECT_EQ(queue.close_question(2), 3U);
  const std::vector<BridgeEvent> events = queue.take();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(std::get<AccessQuestion>(events[1]).id, 3U);
  EXPECT_EQ(queue.close_question(3), 3U) << "taken, and closed then";
}

TEST(EventQueue, ForgetsTheDemandOfAFeedThatIsGone) {
  EventQueue queue;
  queue.push_demand(1, "a", true);
  queue.push_demand(2, "b", true);
  queue.forget_feed(1);
  const std::vector<BridgeEvent> events = queue.take();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<DemandChange>(events[0]).feed, 2U);
}

TEST(EventQueue, LosesNothingBetweenThreads) {
  constexpr std::uint64_t kQuestions = 20'000;
  EventQueue queue;
  const int fd = queue.notify_fd().value();
  std::thread asking([&queue] {
    for (std::uint64_t id = 1; id <= kQuestions; ++id) {
      while (!queue.push_question(question(id))) std::this_thread::yield();
    }
  });
  std::uint64_t seen = 0;
  while (seen < kQuestions) {
    pollfd wanted{fd, POLLIN, 0};
    ASSERT_EQ(::poll(&wanted, 1, 5'000), 1) << "not woken after " << seen;
    for (const BridgeEvent& event : queue.take()) {
      ASSERT_EQ(std::get<AccessQuestion>(event).id, ++seen);
      queue.close_question(seen);
    }
  }
  asking.join();
}

}  // namespace
}  // namespace tickwire
