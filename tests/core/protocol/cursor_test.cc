#include "protocol/cursor.h"

#include <gtest/gtest.h>

namespace tickwire {
namespace {

TEST(Cursor, IsReadAsItWasWritten) {
  CursorWriter writer("e1");
  EXPECT_TRUE(writer.add("a.b:c", {12, TopicStatus::kLive}));
  EXPECT_TRUE(writer.add("d", {0, TopicStatus::kStale}));
  EXPECT_TRUE(writer.add("e", {UINT64_MAX, TopicStatus::kHalted}));
  EXPECT_TRUE(writer.add("f", {1, TopicStatus::kClosed}));
  EXPECT_TRUE(writer.add("g", {1, std::nullopt}));
  EXPECT_EQ(writer.text(), "e1,a.b:c=12,d=0s,e=18446744073709551615h,f=1c,g=1?");
  const auto cursor = parse_cursor(writer.text());
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->epoch, "e1");
  EXPECT_FALSE(cursor->cut);
  EXPECT_EQ(cursor->topics.size(), 5U);
  EXPECT_EQ(cursor->topics.at("e").seq, UINT64_MAX);
  EXPECT_EQ(cursor->topics.at("e").status, TopicStatus::kHalted);
  EXPECT_FALSE(cursor->topics.at("g").status);
  EXPECT_EQ(parse_cursor("e1")->topics.size(), 0U);
}

TEST(Cursor, HasALimitAndSaysWhenPatternsAreCut) {
  CursorWriter writer("e1");
  const std::string name(200, 'x');
  std::size_t before = 0;
  while (writer.add(name, {1, TopicStatus::kLive})) before = writer.size();
  EXPECT_LE(writer.text().size(), kCursorBytesMax);
  EXPECT_GT(writer.text().size() + name.size() + 4, kCursorBytesMax);
  writer.cut(before);
  EXPECT_LE(writer.text().size(), kCursorBytesMax);
  EXPECT_TRUE(parse_cursor(writer.text())->cut);
  writer.cut(0);
  EXPECT_EQ(writer.text(), "e1!");
  EXPECT_EQ(parse_cursor("e1!")->epoch, "e1");
  EXPECT_FALSE(parse_cursor("e1," + std::string(kCursorBytesMax, 'a') + "=1"));
}

TEST(Cursor, WhatIsNoneIsRefused) {
  for (const char* text : {"", ",a=1", "!", "e1,", "e1,a", "e1,a=", "e1,a=x", "e1,a=1x", "e1,a=1ss",
                           "e1,a=-1", "e1,a=18446744073709551616", "e1,a=1,"}) {
    EXPECT_FALSE(parse_cursor(text)) << text;
  }
}

}  // namespace
}  // namespace tickwire
