#include "model/pattern_filter.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

std::vector<Pattern> patterns(std::initializer_list<const char*> texts) {
  std::vector<Pattern> out;
  for (const char* const text : texts) out.push_back(Pattern::parse(text).value());
  return out;
}
PatternSetPtr set_of(std::initializer_list<const char*> texts) {
  return std::make_shared<const PatternSet>(patterns(texts));
}
GuardPart nothing_of(const char* guard) {
  return {Pattern::parse(guard).value(), false, {}};
}
GuardPart all_of(const char* guard) {
  return {Pattern::parse(guard).value(), true, {}};
}
GuardPart only_of(const char* guard, std::initializer_list<const char*> only) {
  return {Pattern::parse(guard).value(), false, patterns(only)};
}

TEST(PatternFilter, LetsWhatATokenShowsWhateverAGuardSays) {
  const PatternFilter filter(set_of({"a.*"}), nullptr, {nothing_of("a.>")});
  EXPECT_TRUE(filter.lets("a.b"));
  EXPECT_FALSE(filter.lets("a.b.c"));
  EXPECT_FALSE(filter.lets("b.a"));
}

TEST(PatternFilter, LetsWhatIsOpenUnlessAGuardHidesIt) {
  const PatternFilter filter(nullptr, set_of({">"}), {nothing_of("a.>"), only_of("b.*", {"b.one", "c.*"})});
  EXPECT_TRUE(filter.lets("c.a"));
  EXPECT_FALSE(filter.lets("a.b"));
  EXPECT_TRUE(filter.lets("b.one"));
  EXPECT_FALSE(filter.lets("b.two"));
  EXPECT_TRUE(filter.lets("b.two.three")) << "no guard has a say about it";
}

TEST(PatternFilter, LetsWhatAGuardSpeaksForWhereNothingIsOpen) {
  const PatternFilter filter(nullptr, nullptr, {all_of("a.>"), only_of("b.>", {"b.one"})});
  EXPECT_TRUE(filter.lets("a.b"));
  EXPECT_TRUE(filter.lets("b.one"));
  EXPECT_FALSE(filter.lets("b.two"));
  EXPECT_FALSE(filter.lets("c"));
}

TEST(PatternFilter, NeedsTheYesOfEachGuardOfATopic) {
  const PatternFilter filter(nullptr, set_of({">"}),
                             {all_of("a.>"), only_of("*.b", {"*.b"}), nothing_of("a.c")});
  EXPECT_TRUE(filter.lets("a.b"));
  EXPECT_TRUE(filter.lets("a.d"));
  EXPECT_FALSE(filter.lets("a.c"));
}

TEST(PatternFilter, IsTheSameAsOneOfTheSamePatternsWhateverTheirOrder) {
  using Guards = std::vector<GuardPart>;
  const auto filter = [](const PatternSetPtr& shown, const PatternSetPtr& open, const Guards& guards) {
    return std::make_shared<const PatternFilter>(shown, open, guards);
  };
  EXPECT_TRUE(same(filter(set_of({"a", "b", "a"}), nullptr, {all_of("c"), nothing_of("d")}),
                   filter(set_of({"b", "a"}), nullptr, {nothing_of("d"), all_of("c")})));
  EXPECT_FALSE(same(filter(set_of({"a"}), nullptr, {}), filter(set_of({"b"}), nullptr, {})));
  EXPECT_FALSE(same(filter(set_of({"a"}), nullptr, {}), filter(nullptr, set_of({"a"}), {})));
  EXPECT_FALSE(same(filter(nullptr, nullptr, {all_of("a")}), filter(nullptr, nullptr, {nothing_of("a")})));
  EXPECT_FALSE(same(filter(nullptr, nullptr, {only_of("a.*", {"a.b"})}),
                    filter(nullptr, nullptr, {only_of("a.*", {"a.c"})})));
  EXPECT_FALSE(same(filter(nullptr, nullptr, {}), nullptr));
  EXPECT_TRUE(same(nullptr, nullptr));
}

TEST(PatternFilter, NoneLetsEverything) {
  EXPECT_TRUE(lets(nullptr, "a"));
}

}  // namespace
}  // namespace tickwire
