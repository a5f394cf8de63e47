#include "access/pattern_cover.h"

#include <gtest/gtest.h>

#include <string>

namespace tickwire {
namespace {

bool covers(std::string_view pattern, std::string_view text) {
  return covers(Pattern::parse(pattern).value(), text);
}

TEST(PatternCover, SaysWhetherAllOfAPatternIsWithinAnother) {
  for (const std::string_view all : {"a", "a.b", "*", ">", "a.*", "a.>", "*.b", "*.>"})
    EXPECT_TRUE(covers(">", all));
  EXPECT_TRUE(covers("a.>", "a.b") && covers("a.>", "a.b.c") && covers("a.>", "a.*") &&
              covers("a.>", "a.*.c"));
  EXPECT_TRUE(covers("a.>", "a.>") && covers("a.>", "a.b.>") && covers("a.*", "a.*") && covers("*.*", "a.*"));
  EXPECT_FALSE(covers("a.>", "a") || covers("a.>", ">") || covers("a.>", "*.b") || covers("a.>", "*.>"));
  EXPECT_FALSE(covers("a.*", "a.>") || covers("*", ">") || covers("a.b", "a.*") || covers("a.b", "a.>"));
  EXPECT_FALSE(covers("a.*.>", "a.>") || covers("*.>", ">") || covers("a.*", "a.*.c") ||
               covers("a.*", "*.b"));
}

// Against the topics themselves: all of two letters and up to three tokens.
TEST(PatternCover, AgreesWithWhatTopicsMatch) {
  std::vector<std::string> topics;
  std::vector<std::string> patterns{">"};
  const auto grow = [](std::vector<std::string>& out, const std::vector<std::string>& tokens, int depth) {
    std::vector<std::string> last{""};
    for (int i = 0; i < depth; ++i) {
      std::vector<std::string> next;
      for (const std::string& head : last) {
        for (const std::string& token : tokens)
          next.push_back(head.empty() ? token : std::string(head).append(".").append(token));
      }
      out.insert(out.end(), next.begin(), next.end());
      last = std::move(next);
    }
  };
  grow(topics, {"a", "b", "x"}, 4);
  grow(patterns, {"a", "b", "*"}, 2);
  for (std::size_t i = 1, count = patterns.size(); i < count; ++i) patterns.push_back(patterns[i] + ".>");
  for (const std::string& wide : patterns) {
    const Pattern pattern = Pattern::parse(wide).value();
    for (const std::string& narrow : patterns) {
      const Pattern text = Pattern::parse(narrow).value();
      const bool all = std::ranges::all_of(
          topics, [&](const std::string& topic) { return !text.matches(topic) || pattern.matches(topic); });
      EXPECT_EQ(covers(wide, narrow), all) << wide << " and " << narrow;
    }
  }
}

}  // namespace
}  // namespace tickwire
