#include "client/message_head.h"

#include <gtest/gtest.h>

#include <string>

namespace tickwire {
namespace {

constexpr std::string_view kUpdate = R"({"type":"update","topic":"a.b","seq":7,"ts":9,"data":{"x":1}})";

TEST(MessageHead, ReadsAnUpdate) {
  MessageHead head;
  ASSERT_TRUE(read_head(kUpdate, head));
  EXPECT_FALSE(head.is_snapshot);
  EXPECT_FALSE(head.is_event);
  EXPECT_EQ(head.topic, "a.b");
  EXPECT_EQ(head.seq, 7U);
  EXPECT_EQ(head.ts, 9);
  EXPECT_EQ(kUpdate.substr(head.data_at, head.data_size), R"({"x":1})");
}

TEST(MessageHead, ReadsASnapshotOfAnEventTopic) {
  constexpr std::string_view kText =
      R"({"type":"snapshot","topic":"a","seq":0,"ts":0,"delivery":"event","status":"halted","data":{}})";
  MessageHead head;
  ASSERT_TRUE(read_head(kText, head));
  EXPECT_TRUE(head.is_snapshot);
  EXPECT_TRUE(head.is_event);
  EXPECT_EQ(head.status, "halted");
  EXPECT_EQ(kText.substr(head.data_at, head.data_size), "{}");
}

TEST(MessageHead, ReadsNothingThatIsCutOffBeforeTheData) {
  const std::size_t data = kUpdate.find("{\"x\"");
  for (std::size_t size = 0; size < data; ++size) {
    MessageHead head;
    EXPECT_FALSE(read_head(kUpdate.substr(0, size), head)) << size;
  }
}

TEST(MessageHead, ReadsNoOtherSpelling) {
  for (const std::string_view text :
       {R"({"type":"update","topic":"a","seq":07,"ts":9,"data":{}})",
        R"({"type":"update","topic":"a","seq":-7,"ts":9,"data":{}})",
        R"({"type":"update","topic":"a","seq":1234567890123456789,"ts":9,"data":{}})",
        R"({"type":"update","topic":"a\"","seq":7,"ts":9,"data":{}})",
        R"({"type":"update","topic":"","seq":7,"ts":9,"data":{}})",
        R"({"type":"update","topic":"a","seq":7, "ts":9,"data":{}})",
        R"({"type":"update","topic":"a","ts":9,"seq":7,"data":{}})",
        R"({"type":"status","topic":"a","seq":7,"ts":9,"status":"live"})",
        R"({"type":"snapshot","topic":"a","seq":7,"ts":9,"data":{}})"}) {
    MessageHead head;
    EXPECT_FALSE(read_head(text, head)) << text;
  }
}

}  // namespace
}  // namespace tickwire
