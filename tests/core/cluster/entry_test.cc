// What one node writes every node reads; what is something else is refused, whatever it is.
#include "cluster/entry.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tickwire::cluster {
namespace {

struct Owned {
  Record record;
  std::string topic;
  std::string data;
};

Owned random_record(std::mt19937& random) {
  Owned made;
  constexpr std::array kKinds{RecordKind::kUpdate, RecordKind::kStatus, RecordKind::kFeedDown};
  made.record.kind = kKinds.at(random() % kKinds.size());
  made.record.feed = static_cast<FeedId>(random() >> (random() % 32));
  if (made.record.kind != RecordKind::kFeedDown) made.topic = "t." + std::string(1 + random() % 100, 'x');
  if (made.record.kind == RecordKind::kUpdate) {
    made.record.delivery = random() % 2 == 0 ? Delivery::kValue : Delivery::kEvent;
    for (std::size_t i = random() % 300; i > 0; --i) made.data += static_cast<char>(random());
  }
  if (made.record.kind == RecordKind::kStatus) made.record.status = static_cast<TopicStatus>(random() % 4);
  return made;
}

std::string random_batch(std::mt19937& random, std::vector<Owned>& written) {
  std::string bytes;
  written.resize(1 + random() % 20);
  for (Owned& one : written) {
    one = random_record(random);
    one.record.topic = one.topic;
    one.record.data = one.data;
    append_record(bytes, one.record);
  }
  return bytes;
}

TEST(Entry, WhatIsWrittenIsReadAgain) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<Owned> written;
    const std::string bytes = random_batch(random, written);
    const auto read = read_records(bytes);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), written.size());
    for (std::size_t i = 0; i < written.size(); ++i) {
      const Record& record = (*read)[i];
      EXPECT_EQ(record.kind, written[i].record.kind);
      EXPECT_EQ(record.feed, written[i].record.feed);
      EXPECT_EQ(record.topic, written[i].topic);
      EXPECT_EQ(record.delivery, written[i].record.delivery);
      EXPECT_EQ(record.status, written[i].record.status);
      EXPECT_EQ(record.data, written[i].data);
    }
  }
}

TEST(Entry, NothingIsAnEntryWithoutRecords) {
  ASSERT_TRUE(read_records(""));
  EXPECT_TRUE(read_records("")->empty());
}

// Each answer is an error or records whose views lie within the bytes.
TEST(Entry, ForeignBytesAreRefusedOrReadWithinTheirBounds) {
  std::mt19937 random(2);
  std::size_t refused = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::vector<Owned> written;
    std::string bytes = random_batch(random, written);
    for (std::size_t i = 1 + random() % 3; i > 0; --i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(bytes.size() - random() % (bytes.size() / 2 + 1));
    const auto read = read_records(bytes);
    if (!read) {
      EXPECT_EQ(read.error().code, ErrorCode::kBadMessage);
      ++refused;
      continue;
    }
    for (const Record& record : *read) {
      for (const std::string_view view : {record.topic, record.data}) {
        if (view.empty()) continue;
        EXPECT_GE(view.data(), bytes.data());
        EXPECT_LE(view.data() + view.size(), bytes.data() + bytes.size());
      }
    }
  }
  EXPECT_GT(refused, 1'000U);
}

TEST(Entry, ItsLimitsHoldAtTheLimitAndOnePast) {
  std::string bytes;
  const Record record{.topic = "t", .data = "{}"};
  for (std::size_t i = 0; i < kBatchRecordsMax; ++i) append_record(bytes, record);
  EXPECT_TRUE(read_records(bytes));
  append_record(bytes, record);
  ASSERT_FALSE(read_records(bytes));
  EXPECT_NE(read_records(bytes).error().message.find("more than 1000 records"), std::string::npos);

  std::string large;
  const std::string data(kEntryBytesMax - 9, 'x');
  append_record(large, {.topic = "t", .data = data});
  ASSERT_EQ(large.size(), kEntryBytesMax);
  EXPECT_TRUE(read_records(large));
  large.clear();
  append_record(large, {.topic = "tt", .data = data});
  ASSERT_FALSE(read_records(large));
  EXPECT_NE(read_records(large).error().message.find(std::to_string(kEntryBytesMax)), std::string::npos);
}

TEST(Entry, AnotherVersionIsNamed) {
  std::string bytes;
  append_record(bytes, {.topic = "t", .data = "{}"});
  bytes[0] = 2;
  ASSERT_FALSE(read_records(bytes));
  EXPECT_NE(read_records(bytes).error().message.find("version"), std::string::npos);
}

}  // namespace
}  // namespace tickwire::cluster
