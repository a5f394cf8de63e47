#include "engine/loop_watchdog.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

namespace tickwire {
namespace {

using std::chrono::milliseconds;
using Change = LoopWatch::Change;

struct WatchedLoop {
  WatchedLoop() { pulse.set(Activity::kPolling); }
  // Looks in which the loop does not come round; what the last one saw.
  Change stands_for(int looks, milliseconds each = kWatchPeriod) {
    Change last = Change::kNone;
    for (int i = 0; i < looks; ++i) last = watch.look(each);
    return last;
  }
  LoopPulse pulse;
  LoopWatch watch{pulse};
};

TEST(LoopWatch, ALoopThatComesRoundStandsNever) {
  WatchedLoop loop;
  for (int i = 0; i < 100; ++i) {
    loop.pulse.beat();
    EXPECT_EQ(loop.watch.look(kWatchPeriod), Change::kNone);
  }
  EXPECT_FALSE(loop.watch.standing());
}

TEST(LoopWatch, StandingBeginsAtASecondAndNotBefore) {
  WatchedLoop loop;
  EXPECT_EQ(loop.stands_for(3), Change::kNone);
  EXPECT_EQ(loop.watch.look(kWatchPeriod - milliseconds(1)), Change::kNone);
  EXPECT_FALSE(loop.watch.standing());
  loop.pulse.set(Activity::kSubscribe);
  EXPECT_EQ(loop.watch.look(milliseconds(1)), Change::kStopped);
  EXPECT_TRUE(loop.watch.standing());
  EXPECT_EQ(loop.watch.stood(), milliseconds(1000));
  EXPECT_EQ(loop.watch.stood_in(), Activity::kSubscribe);
}

TEST(LoopWatch, ItIsSaidOnceAndWhenItGoesOnForHowLongItStoodAndWhere) {
  WatchedLoop loop;
  loop.pulse.set(Activity::kTurn);
  EXPECT_EQ(loop.stands_for(4), Change::kStopped);
  EXPECT_EQ(loop.stands_for(8), Change::kNone);
  loop.pulse.set(Activity::kPolling);
  loop.pulse.beat();
  EXPECT_EQ(loop.watch.look(kWatchPeriod), Change::kGoesOn);
  EXPECT_FALSE(loop.watch.standing());
  EXPECT_EQ(loop.watch.lasted(), milliseconds(3000));
  EXPECT_EQ(loop.watch.stood_in(), Activity::kTurn);
}

TEST(LoopWatch, TheNextStandstillIsCountedFromItsOwnBeginning) {
  WatchedLoop loop;
  EXPECT_EQ(loop.stands_for(4), Change::kStopped);
  loop.pulse.beat();
  EXPECT_EQ(loop.watch.look(kWatchPeriod), Change::kGoesOn);
  EXPECT_EQ(loop.stands_for(3), Change::kNone);
  EXPECT_EQ(loop.watch.look(kWatchPeriod), Change::kStopped);
}

TEST(LoopWatch, AMachineThatWasAsleepIsNotALoopThatStands) {
  WatchedLoop loop;
  EXPECT_EQ(loop.watch.look(std::chrono::hours(8)), Change::kNone);
  loop.pulse.beat();
  EXPECT_EQ(loop.watch.look(kWatchPeriod), Change::kNone);
}

TEST(LoopWatch, ALoopThatDoesNotRunYetOrHasEndedDoesNotStand) {
  WatchedLoop loop;
  loop.pulse.set(Activity::kNotRunning);
  EXPECT_EQ(loop.stands_for(20), Change::kNone);
}

// What is logged until the end of the test.
class LogCapture {
 public:
  LogCapture() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("capture", std::move(sink)));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  // Call it only when nobody logs any more.
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  std::ostringstream text_;
};

TEST(LoopWatchdog, TheLogSaysWhichLoopStandsInWhatAndWhenItGoesOn) {
  const LogCapture log;
  LoopPulse ended;
  LoopPulse held;
  held.set(Activity::kSubscribe);
  {
    const LoopWatchdog watchdog({&ended, &held});
    const auto comes_to = [&watchdog](std::size_t standing) {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (watchdog.standing() != standing && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(milliseconds(5));
      }
      return watchdog.standing() == standing;
    };
    ASSERT_TRUE(comes_to(1));
    EXPECT_TRUE(watchdog.loops()[1].standing());
    held.beat();
    ASSERT_TRUE(comes_to(0));
  }
  EXPECT_NE(log.text().find("loop 1 stands still: it has not turned for "), std::string::npos) << log.text();
  EXPECT_NE(log.text().find("it is at: subscribe"), std::string::npos) << log.text();
  EXPECT_NE(log.text().find("loop 1 goes on: it stood still for "), std::string::npos) << log.text();
  EXPECT_EQ(log.text().find("loop 0"), std::string::npos) << log.text();
}

TEST(LoopPulse, ABlockNamesItselfAndThenWhatWasBefore) {
  LoopPulse pulse;
  {
    const Doing outer(pulse, Activity::kReading);
    {
      const Doing inner(pulse, Activity::kSubscribe);
      EXPECT_EQ(name_of(pulse.activity()), "subscribe");
    }
    EXPECT_EQ(pulse.activity(), Activity::kReading);
  }
  EXPECT_EQ(pulse.activity(), Activity::kNotRunning);
  EXPECT_EQ(name_of(Activity::kDisconnect), kActivityNames.back());
}

}  // namespace
}  // namespace tickwire
