#include "engine/nearest_name.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

const std::vector<std::string> kNames{"server.listen", "server.shards", "store.path", "store.flush_ms"};

TEST(NearestName, FindsTheNameWithTheFewestEdits) {
  EXPECT_EQ(nearest_name("server.lsiten", kNames), "server.listen");
  EXPECT_EQ(nearest_name("srver.shard", kNames), "server.shards");
  EXPECT_EQ(nearest_name("store.flush", kNames), "store.flush_ms");
  EXPECT_EQ(nearest_name("store.path", kNames), "store.path");
}

TEST(NearestName, CountsASwapOfNeighboursAsOneEdit) {
  EXPECT_EQ(nearest_name("ba", {"cd", "ab"}), "ab");
  EXPECT_EQ(nearest_name("abdc", {"abxx", "abcd"}), "abcd");
}

TEST(NearestName, GivesTheFirstOfEquals) {
  EXPECT_EQ(nearest_name("", {"b", "a"}), "b");
  EXPECT_EQ(nearest_name("zzzz", {"ab", "cd"}), "ab");
}

}  // namespace
}  // namespace tickwire
