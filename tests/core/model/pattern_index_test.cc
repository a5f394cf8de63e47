#include "model/pattern_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace tickwire {
namespace {

Pattern pattern(std::string_view text) {
  return Pattern::parse(text).value();
}

TEST(PatternIndex, FindsThePatternsThatMatchWhicheverCameAndWent) {
  std::mt19937 random(7);
  const auto text = [&](bool wildcards) {
    std::string out;
    const std::size_t tokens = 1 + random() % 4;
    for (std::size_t i = 0; i < tokens; ++i) {
      if (i > 0) out += '.';
      const auto which = random() % (wildcards ? 5 : 3);
      if (which == 4 && i + 1 == tokens) {
        out += '>';
      } else {
        out += which >= 3 ? '*' : static_cast<char>('a' + which);
      }
    }
    return out;
  };
  PatternIndex<std::string> index;
  std::map<std::string, Pattern> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string chosen = text(true);
    if (model.contains(chosen)) {
      EXPECT_EQ(*index.find(chosen), chosen);
      index.erase(pattern(chosen));
      model.erase(chosen);
    } else {
      EXPECT_EQ(index.find(chosen), nullptr);
      index.at(pattern(chosen)) = chosen;
      model.emplace(chosen, pattern(chosen));
    }
    const std::string topic = text(false);
    std::multiset<std::string> found;
    index.each_match(topic, [&](const std::string& match) { found.insert(match); });
    std::multiset<std::string> expected;
    for (const auto& [name, each] : model) {
      if (each.matches(topic)) expected.insert(name);
    }
    ASSERT_EQ(found, expected) << topic;
    ASSERT_EQ(index.size(), model.size());
  }
}

TEST(PatternIndex, WhatALookUpCostsFollowsThePatternsThatBeginLikeTheTopic) {
  PatternIndex<int> index;
  for (int i = 0; i < 10'000; ++i) index.at(pattern("*.other" + std::to_string(i) + ".>")) = i;
  index.at(pattern("ticker.*")) = 1;
  const std::uint64_t before = Work::done();
  EXPECT_TRUE(index.any_match("ticker.BTC-USD"));
  EXPECT_LT(Work::done() - before, 10U);
}

TEST(PatternIndex, WhetherAnyMatchesIsKnownWithTheFirstThatDoes) {
  PatternIndex<int> index;
  for (unsigned mask = 0; mask < 256; ++mask) {
    std::string text;
    for (unsigned token = 0; token < 8; ++token) text += ((mask >> token) & 1U) != 0 ? "*." : "a.";
    index.at(pattern(text + "x")) = 1;
  }
  const std::uint64_t before = Work::done();
  EXPECT_TRUE(index.any_match("a.a.a.a.a.a.a.a.x"));
  EXPECT_LT(Work::done() - before, 20U);
  EXPECT_FALSE(index.any_match("a.a.a.a.a.a.a.a"));
  EXPECT_FALSE(index.any_match("a.a.a.a.a.a.a.a.x.a"));
  EXPECT_FALSE(index.any_match("a.a.a.a.a.a.a.a.y"));
  index.at(pattern("b.>")) = 1;
  EXPECT_TRUE(index.any_match("b.a.a"));
  EXPECT_FALSE(index.any_match("b"));
}

TEST(PatternIndex, ErasesTheOnesThatAreGone) {
  PatternIndex<int> index;
  for (int i = 0; i < 100; ++i) index.at(pattern("a.*.t" + std::to_string(i))) = i;
  index.erase_if([](int value) { return value % 2 == 0; });
  EXPECT_EQ(index.size(), 50U);
  EXPECT_FALSE(index.any_match("a.b.t4"));
  EXPECT_TRUE(index.any_match("a.b.t5"));
}

}  // namespace
}  // namespace tickwire
