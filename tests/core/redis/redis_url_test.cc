// What cluster.url may be, and that a refusal does not tell what it holds.
#include "redis/redis_url.h"

#include <gtest/gtest.h>

namespace tickwire::redis {
namespace {

TEST(RedisUrlTest, HostPortLoginAndDatabaseAreRead) {
  const auto all = RedisUrl::parse("redis://plant:se%40cret%2F@redis.example:7000/4");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->user, "plant");
  EXPECT_EQ(all->password, "se@cret/");
  EXPECT_EQ(all->host, "redis.example");
  EXPECT_EQ(all->port, 7000);
  EXPECT_EQ(all->database, 4);
  EXPECT_EQ(all->text(), "redis://redis.example:7000/4");
  const auto least = RedisUrl::parse("redis://h");
  ASSERT_TRUE(least.ok());
  EXPECT_EQ(least->text(), "redis://h:6379");
  EXPECT_EQ(RedisUrl::parse("redis://:pw@h/")->password, "pw");
  EXPECT_EQ(RedisUrl::parse("redis://a:b@c@h")->password, "b@c");
  const auto six = RedisUrl::parse("redis://[::1]:7");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->text(), "redis://[::1]:7");
}

TEST(RedisUrlTest, PortAndDatabaseEndAtTheirLimits) {
  EXPECT_TRUE(RedisUrl::parse("redis://h:65535/65535").ok());
  EXPECT_FALSE(RedisUrl::parse("redis://h:65536").ok());
  EXPECT_FALSE(RedisUrl::parse("redis://h:0").ok());
  EXPECT_FALSE(RedisUrl::parse("redis://h/65536").ok());
}

TEST(RedisUrlTest, WhatIsNoneIsRefusedAndNotRepeated) {
  for (const std::string text :
       {"", "redis:", "redis://", "http://h", "rediss://u:hidden@h", "redis-sentinel://h1,h2/hidden",
        "redis://hidden@h", "redis://u:@h", "redis://u:%4@h", "redis://u:%zz@h", "redis://[::1",
        "redis://[::1]x", "redis://::1", "redis://h:hidden", "redis://h:1x", "redis://h/hidden",
        "redis://h/-1", "redis://h?hidden=1", "redis://:1"}) {
    const auto refused = RedisUrl::parse(text);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kBadConfig);
    EXPECT_EQ(refused.error().field, "cluster.url");
    EXPECT_EQ(refused.error().message.find("hidden"), std::string::npos) << refused.error().message;
  }
}

}  // namespace
}  // namespace tickwire::redis
