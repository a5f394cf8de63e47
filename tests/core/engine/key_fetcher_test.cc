#include "engine/key_fetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"

namespace tickwire {
namespace {

constexpr const char* kUrl = "https://issuer/keys";

// An issuer whose sets the test changes, and whose answers it counts.
struct Issuer {
  Result<std::string> get(const std::string& url) {
    const std::lock_guard lock(mutex);
    ++asked;
    const auto found = sets.find(url);
    if (found == sets.end()) return Error{ErrorCode::kUnavailable, "connection refused", ""};
    return found->second;
  }
  void set(const std::string& text) {
    const std::lock_guard lock(mutex);
    sets[kUrl] = text;
  }
  [[nodiscard]] int count() {
    const std::lock_guard lock(mutex);
    return asked;
  }

  std::mutex mutex;
  std::map<std::string, std::string> sets;
  int asked = 0;
};

// Set by the test while the fetcher's thread reads it.
struct SharedClock final : Clock {
  [[nodiscard]] std::int64_t wall_ms() const override { return us / 1'000; }
  [[nodiscard]] std::int64_t steady_us() const override { return us; }
  void advance_ms(std::int64_t ms) { us += ms * 1'000; }
  std::atomic<std::int64_t> us = 1'000'000'000;
};

struct Fetching : testing::Test {
  SharedClock clock;
  Issuer issuer;
  std::atomic<int> changed = 0;
  KeyFetcher fetcher{{clock,
                      [this](const std::string& url, const std::atomic<bool>&) { return issuer.get(url); },
                      [this] { ++changed; }}};

  // Until it is so; a hang ends the test.
  static bool eventually(const std::function<bool()>& probe) {
    for (int i = 0; i < 60'000 && !probe(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return probe();
  }
};

TEST_F(Fetching, HasTheSetsOnceTheIssuerAnswers) {
  fetcher.fetch({kUrl});
  EXPECT_TRUE(eventually([&] { return issuer.count() >= 1; }));
  EXPECT_TRUE(fetcher.sets().empty());
  issuer.set("one");
  EXPECT_TRUE(eventually([&] {
    clock.advance_ms(10);
    return changed == 1;
  })) << "a failure is tried again soon";
  EXPECT_EQ(fetcher.sets(), (KeySets{{kUrl, "one"}}));
}

TEST_F(Fetching, AnUnknownKeyIsAskedForOnceAMinute) {
  issuer.set("one");
  fetcher.fetch({kUrl});
  EXPECT_TRUE(eventually([&] { return changed == 1; }));
  EXPECT_TRUE(eventually([&] { return fetcher.ask(); })) << "the set is fetched again";
  issuer.set("two");
  EXPECT_TRUE(eventually([&] { return !fetcher.ask(); })) << "it was, and is not again within the minute";
  const int asked = issuer.count();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(fetcher.ask());
  EXPECT_EQ(issuer.count(), asked);
  clock.advance_ms(kAskedAgainS * 1'000);
  EXPECT_TRUE(fetcher.ask());
  EXPECT_TRUE(eventually([&] { return issuer.count() > asked && fetcher.sets() == KeySets{{kUrl, "two"}}; }));
}

TEST_F(Fetching, WhatIsNotReadAnyMoreIsForgotten) {
  issuer.set("one");
  fetcher.fetch({kUrl});
  EXPECT_TRUE(eventually([&] { return changed == 1; }));
  fetcher.fetch({});
  EXPECT_TRUE(fetcher.sets().empty());
  EXPECT_FALSE(fetcher.ask());
  fetcher.fetch({kUrl});
  EXPECT_TRUE(eventually([&] { return fetcher.sets().size() == 1; }));
  fetcher.stop();
  const int asked = issuer.count();
  fetcher.fetch({kUrl});
  EXPECT_EQ(issuer.count(), asked) << "after the end nothing begins";
}

}  // namespace
}  // namespace tickwire
