#include "net/poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace tickwire {
namespace {

constexpr std::int64_t kPatienceUs = 10'000'000;

// An eventfd that is polled, and what is done when it is ready.
class Polled final : public Pollee {
 public:
  Polled(Poller& poller, std::function<void()> on_ready, unsigned count = 1, std::uint32_t events = EPOLLIN)
      : fd(::eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC)), poller_(poller), then_(std::move(on_ready)) {
    EXPECT_TRUE(poller.add(fd, *this, events));
  }
  ~Polled() override { end(); }
  Polled(const Polled&) = delete;
  Polled& operator=(const Polled&) = delete;

  void end() {
    if (fd < 0) return;
    poller_.remove(fd);
    ::close(std::exchange(fd, -1));
  }
  void on_ready(std::uint32_t /*events*/) override {
    ++told;
    then_();
  }

  int fd;
  int told = 0;

 private:
  Poller& poller_;
  const std::function<void()> then_;
};

struct PollerTest : testing::Test {
  void SetUp() override { ASSERT_TRUE(poller.open()); }
  Poller poller;
};

TEST_F(PollerTest, TellsWhoIsReadyAndWaitsNoLongerThanItIsTold) {
  Polled ready(poller, [] {});
  Polled quiet(poller, [] {}, 0);
  EXPECT_EQ(poller.wait(kPatienceUs), 1);
  EXPECT_EQ(ready.told, 1);
  poller.change(ready.fd, 0);
  EXPECT_EQ(poller.wait(1), 0);
  EXPECT_EQ(poller.wait(0), 0);
  poller.change(ready.fd, EPOLLIN);
  EXPECT_EQ(poller.wait(kPatienceUs), 1);
  EXPECT_EQ(quiet.told, 0);
}

TEST_F(PollerTest, NobodyIsToldAfterItsEndByAnotherOfTheSameWait) {
  std::vector<Polled*> both;
  const auto end_the_other = [&] {
    for (Polled* each : both) {
      if (each->told == 0) each->end();
    }
  };
  Polled one(poller, end_the_other);
  Polled two(poller, end_the_other);
  both = {&one, &two};
  EXPECT_EQ(poller.wait(kPatienceUs), 2);
  EXPECT_EQ(one.told + two.told, 1);
}

TEST_F(PollerTest, ADescriptorThatIsUsedAgainGetsNothingThatWasMeantForTheOneBefore) {
  std::vector<Polled*> both;
  std::unique_ptr<Polled> next;
  const auto replace_the_other = [&] {
    for (Polled* each : both) {
      if (each->told > 0 || each->fd < 0) continue;
      const int number = each->fd;
      each->end();
      next = std::make_unique<Polled>(poller, [] {}, 0);
      EXPECT_EQ(next->fd, number) << "the lowest one that is free";
    }
  };
  Polled one(poller, replace_the_other);
  Polled two(poller, replace_the_other);
  both = {&one, &two};
  EXPECT_EQ(poller.wait(kPatienceUs), 2);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->told, 0);
  EXPECT_EQ(::eventfd_write(next->fd, 1), 0);
  for (Polled* each : both) each->end();
  EXPECT_EQ(poller.wait(kPatienceUs), 1);
  EXPECT_EQ(next->told, 1);
}

TEST_F(PollerTest, TellsABoundedNumberAtOnceAndTheOthersNext) {
  std::vector<std::unique_ptr<Polled>> many;
  for (int i = 0; i < 200; ++i) many.push_back(std::make_unique<Polled>(poller, [] {}));
  int waits = 0;
  const auto missing = [&] {
    for (const auto& each : many) {
      if (each->told == 0) return true;
    }
    return false;
  };
  while (missing() && waits < 100) {
    EXPECT_LE(poller.wait(kPatienceUs), 64);
    ++waits;
  }
  EXPECT_LE(waits, 5) << "each in its turn";
}

TEST_F(PollerTest, ThoseWhoTakeLongLeaveOthersForTheNextTimeAndEachIsToldBeforeAnyIsToldAgain) {
  const auto work = [] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(kTellUsMax);
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  std::vector<std::unique_ptr<Polled>> many;
  for (int i = 0; i < 30; ++i) many.push_back(std::make_unique<Polled>(poller, work));
  for (int told = 0; told < 60;) {
    const int more = poller.wait(kPatienceUs);
    EXPECT_GT(more, 0);
    EXPECT_LE(more, 2) << "then it is time for others";
    told += more;
    const auto [least, most] =
        std::ranges::minmax_element(many, {}, [](const auto& each) { return each->told; });
    ASSERT_LE((*most)->told - (*least)->told, 1);
  }
}

TEST_F(PollerTest, WhatIsNotWantedAnyMoreWhenItsTurnComesIsNotTold) {
  std::vector<std::unique_ptr<Polled>> all;
  const auto only_me = [&] {
    for (const auto& each : all) {
      if (each->told == 0) poller.change(each->fd, 0);
    }
  };
  for (int i = 0; i < 3; ++i) all.push_back(std::make_unique<Polled>(poller, only_me));
  poller.wait(kPatienceUs);
  EXPECT_EQ(all[0]->told + all[1]->told + all[2]->told, 1);
}

TEST_F(PollerTest, WhatIsEdgeTriggeredIsToldOnceForEachEvent) {
  Polled wake(poller, [] {}, 0, EPOLLIN | EPOLLET);
  EXPECT_EQ(poller.wait(0), 0);
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(::eventfd_write(wake.fd, 1), 0);
    EXPECT_EQ(poller.wait(kPatienceUs), 1);
    EXPECT_EQ(poller.wait(0), 0);
    EXPECT_EQ(wake.told, i);
  }
}

TEST_F(PollerTest, WhatCannotBePolledIsRefused) {
  Polled owner(poller, [] {}, 0);
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(file);
  EXPECT_FALSE(poller.add(file, owner, EPOLLIN));
  poller.remove(file);
}

TEST_F(PollerTest, WhoAsksForItIsToldOnceMoreWithoutAnEventAndWithoutAWait) {
  Polled quiet(poller, [] {}, 0);
  poller.again(quiet.fd);
  poller.again(quiet.fd);
  EXPECT_EQ(poller.wait(kPatienceUs), 1);
  EXPECT_EQ(quiet.told, 1);
  EXPECT_EQ(poller.wait(0), 0);
}

TEST_F(PollerTest, WhoAsksAgainWhileItIsToldLeavesOthersTheirTurn) {
  Polled* greedy = nullptr;
  Polled asks(poller, [&] { poller.again(greedy->fd); }, 0);
  greedy = &asks;
  Polled other(poller, [] {});
  poller.again(asks.fd);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(poller.wait(kPatienceUs), 2);
    EXPECT_EQ(asks.told, i);
    EXPECT_EQ(other.told, i);
  }
}

TEST_F(PollerTest, WhoIsRemovedIsNotToldWhatItAskedFor) {
  Polled first(poller, [] {}, 0);
  poller.again(first.fd);
  poller.remove(first.fd);
  EXPECT_TRUE(poller.add(first.fd, first, EPOLLIN));
  poller.wait(0);
  EXPECT_EQ(first.told, 0);
  EXPECT_EQ(poller.wait(0), 0);
}

}  // namespace
}  // namespace tickwire
