#include "fanout/awaited_names.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace tickwire {
namespace {

TEST(AwaitedNames, AWithdrawalIsAboutTheSubscribesBeforeIt) {
  AwaitedNames names;
  names.add("a");
  names.begin_withdrawal();
  EXPECT_TRUE(names.withdraw("a"));
  EXPECT_FALSE(names.withdraw("b")) << "nobody waits for it";
  const std::uint64_t later = names.withdrawals();
  names.add("a");
  EXPECT_TRUE(names.is_withdrawn("a", 0));
  EXPECT_FALSE(names.is_withdrawn("a", later));
  EXPECT_TRUE(names.remove("a", 0));
  EXPECT_FALSE(names.empty());
  EXPECT_FALSE(names.remove("a", later));
  EXPECT_TRUE(names.empty());
  names.add("a");
  EXPECT_FALSE(names.is_withdrawn("a", later)) << "that it was withdrawn once is forgotten with it";
}

TEST(AwaitedNames, TheTextOfAnEarlierSubscribeMayGoBeforeThatOfALaterOne) {
  const auto text = [] { return std::make_unique<std::string>("a name that lies in memory of its own"); };
  auto first = text();
  auto second = text();
  AwaitedNames names;
  names.add(*first);
  names.add(*second);
  EXPECT_FALSE(names.remove(*first, 0));
  first.reset();
  names.begin_withdrawal();
  EXPECT_TRUE(names.withdraw(*text()));
  EXPECT_TRUE(names.remove(*second, 0));
}

}  // namespace
}  // namespace tickwire
