#include "engine/limits.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "config_fixture.h"
#include "engine/memory_watch.h"
#include "fakes/fake_clock.h"

namespace tickwire {
namespace {

TEST(LimitsDocument, HasTheTableThatTheCodeMakes) {
  std::string table = "| limit | unit | default | key | past it |\n|---|---|---|---|---|\n";
  const auto code = [](const std::string& text) { return text.empty() ? "" : fmt::format(" `{}`", text); };
  for (const LimitRow& row : limit_rows()) {
    table += fmt::format("| `{}` | {} | {} |{} | {} |\n", row.name, row.unit, row.value, code(row.key),
                         row.beyond);
  }
  std::ifstream file(std::string(TICKWIRE_SOURCE_DIR) + "/docs/SECURITY.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(table), std::string::npos) << "it must have:\n" << table;
}

TEST(LimitsTable, HasEachLimitOnceAndEachIsCountedUnderItsName) {
  std::multiset<std::string> names;
  for (const LimitRow& row : limit_rows()) names.insert(row.name);
  EXPECT_EQ(names, std::multiset<std::string>(kLimitNames.begin(), kLimitNames.end()));
}

TEST(MemoryWatch, RefusesTheNewPastTheLimitAndHealsBelowIt) {
  FakeClock clock;
  Hub hub(clock, {});
  std::uint64_t held = 1'000;
  MemoryWatch watch(hub, 1'000, [&held] { return std::optional(held); });
  watch.look();
  EXPECT_FALSE(hub.memory_full()) << "at the limit";
  held = 1'001;
  watch.look();
  EXPECT_TRUE(hub.memory_full());
  held = 951;
  watch.look();
  EXPECT_TRUE(hub.memory_full()) << "not back far enough to take new ones without refusing them again";
  held = 950;
  watch.look();
  EXPECT_FALSE(hub.memory_full());
  EXPECT_EQ(watch.bytes(), 950U);
}

TEST(MemoryWatch, MeasuresThisProcessAndTakesAShareOfTheMachine) {
  FakeClock clock;
  Hub hub(clock, {});
  MemoryWatch watch(hub, 0);
  watch.look();
  EXPECT_GT(watch.bytes(), 1U << 20U);
  EXPECT_GT(watch.limit(), watch.bytes());
  EXPECT_EQ(watch.limit(), available_bytes().value() / 4 * 3);
}

}  // namespace
}  // namespace tickwire
