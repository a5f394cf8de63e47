#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <deque>
#include <random>
#include <string>
#include <thread>

#include "fakes/fake_clock.h"
#include "hub/hub.h"
#include "model/table.h"

namespace tickwire {
namespace {

// Row i: {"n":i}, or the error it is told to have.
class Numbers final : public Payloads {
 public:
  Result<ImageView> at(std::size_t row) override {
    if (row == faulty) return Error{ErrorCode::kBadData, "faulty", ""};
    text_ = R"({"n":)" + std::to_string(row) + "}";
    const Status scanned = scan_object(text_, fields_);
    EXPECT_TRUE(scanned);
    return ImageView{text_, fields_};
  }
  std::size_t faulty = SIZE_MAX;

 private:
  std::string text_;
  std::vector<JsonField> fields_;
};

class TableRows final : public Payloads {
 public:
  explicit TableRows(const std::vector<Column>& columns)
      : table(std::move(*Table::create(columns, 1, NonFinite::kNull))) {}
  Result<ImageView> at(std::size_t row) override { return table.row(row); }
  Table table;
};

class Recorder final : public UpdateSink {
 public:
  void deliver(const UpdatePtr& update) override { updates.push_back(update); }
  std::vector<UpdatePtr> updates;
};

struct PublishRowsTest : ::testing::Test {
  FakeClock clock;
  Hub hub{clock, {{"e.>", Delivery::kEvent, 3, 0}}};
  Numbers numbers;
  std::size_t done = 99;
  std::deque<std::string> names;
  std::vector<std::string_view> topics;
  void add(std::string name) { topics.emplace_back(names.emplace_back(std::move(name))); }
};

TEST_F(PublishRowsTest, PublishesEachRowInItsTurnNewTopicsAndRepeatedOnesToo) {
  Recorder recorder;
  hub.add_pattern_interest(hub.add_sink(recorder), *Pattern::parse(">"));
  ASSERT_TRUE(hub.publish("t.0", R"({"m":1})"));
  for (int i = 0; i < 100; ++i) add("t." + std::to_string(i % 40));
  ASSERT_TRUE(hub.publish_rows(topics, numbers, 0, done));
  EXPECT_EQ(done, 100U);
  EXPECT_EQ(hub.find("t.0")->seq(), 4U);
  EXPECT_EQ(hub.find("t.0")->image(), R"({"m":1,"n":80})");
  EXPECT_EQ(hub.find("t.39")->image(), R"({"n":79})");
  ASSERT_EQ(recorder.updates.size(), 101U);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(recorder.updates[i + 1]->topic().name, topics[i]);
    EXPECT_EQ(recorder.updates[i + 1]->data(), R"({"n":)" + std::to_string(i) + "}");
    EXPECT_EQ(recorder.updates[i + 1]->ts(), clock.wall_ms());
  }
}

TEST_F(PublishRowsTest, EndsAtTheFirstRowThatFailsAndSaysHowManyWere) {
  for (int i = 0; i < 50; ++i) add("t." + std::to_string(i));
  numbers.faulty = 20;
  EXPECT_EQ(hub.publish_rows(topics, numbers, 0, done).error().message, "faulty");
  EXPECT_EQ(done, 20U);
  EXPECT_EQ(hub.topic_count(), 20U);
  topics[5] = "no topic";
  EXPECT_EQ(hub.publish_rows(topics, numbers, 0, done).error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(done, 5U);
  EXPECT_EQ(hub.find("t.4")->seq(), 2U);
  EXPECT_EQ(hub.find("t.5")->seq(), 1U);
}

TEST_F(PublishRowsTest, NoRowsIsNothing) {
  EXPECT_TRUE(hub.publish_rows(topics, numbers, 0, done));
  EXPECT_EQ(done, 0U);
}

TEST_F(PublishRowsTest, EventTopicsKeepTheirRing) {
  for (int i = 0; i < 40; ++i) add("e.a");
  ASSERT_TRUE(hub.publish_rows(topics, numbers, 0, done));
  const auto ring = hub.find_topic("e.a")->ring_between(1, 40);
  ASSERT_EQ(ring.size(), 3U);
  EXPECT_EQ(ring[0]->data(), R"({"n":37})");
}

// A table's rows of a known shape, rows with nulls, and other updates in between: the images are those of a
// hub that is given every payload as text.
TEST_F(PublishRowsTest, RowsOfOneShapeLeaveTheImagesThatTheirTextsWould) {
  std::mt19937 random(3);
  FakeClock other_clock;
  Hub other(other_clock, {});
  const std::array<std::string, 3> keys{"a", "b\"", "c"};
  for (std::size_t step = 0; step < 3'000; ++step) {
    const std::string topic = "t." + std::to_string(random() % 3);
    std::string text = R"({"a":)" + std::to_string(step) + (random() % 2 == 0 ? "" : R"(,"c":null)") + "}";
    if (random() % 3 != 0) {
      const auto number = static_cast<double>(step);
      const std::array<double, 3> values{number + 0.5, random() % 8 == 0 ? NAN : 1.0, number};
      std::vector<Column> columns;
      const std::size_t count = 1 + random() % 3;
      for (std::size_t i = 0; i < count; ++i) {
        columns.push_back({keys.at((i + step / 500) % 3), ColumnType::kFloat64,
                           reinterpret_cast<const std::byte*>(&values.at(i)), 0});
      }
      TableRows rows(columns);
      rows.table.set_shape(hub.shape_of(rows.table.keys()));
      const std::string_view name = topic;
      ASSERT_TRUE(hub.publish_rows({&name, 1}, rows, 0, done));
      text = rows.table.row(0).text;
    } else if (random() % 3 == 0 && hub.find(topic)) {
      const auto status = random() % 2 == 0 ? TopicStatus::kHalted : TopicStatus::kLive;
      ASSERT_TRUE(hub.set_status(topic, status));
      ASSERT_TRUE(other.set_status(topic, status));
      continue;
    } else {
      ASSERT_TRUE(hub.publish(topic, text));
    }
    ASSERT_TRUE(other.publish(topic, text));
    ASSERT_EQ(hub.find(topic)->image(), other.find(topic)->image());
    ASSERT_EQ(hub.find(topic)->seq(), other.find(topic)->seq());
    ASSERT_EQ(hub.find(topic)->status(), other.find(topic)->status());
  }
}

TEST_F(PublishRowsTest, ShapesHaveTheirLimits) {
  EXPECT_EQ(hub.shape_of("a"), hub.shape_of("a"));
  EXPECT_NE(hub.shape_of("a"), hub.shape_of("b"));
  EXPECT_NE(hub.shape_of(std::string(kShapeBytesMax, 'x')), 0U);
  EXPECT_EQ(hub.shape_of(std::string(kShapeBytesMax + 1, 'x')), 0U);
  for (std::size_t i = 3; i < kShapesMax; ++i) EXPECT_NE(hub.shape_of(std::to_string(i)), 0U);
  EXPECT_EQ(hub.shape_of("one more"), 0U);
  EXPECT_NE(hub.shape_of("a"), 0U);
}

// A topic without an update goes with its last interest, whatever a publisher has just looked up.
TEST_F(PublishRowsTest, NoUpdateIsLostToATopicThatGoes) {
  constexpr int kRounds = 300;
  Recorder recorder;
  const SinkId sink = hub.add_sink(recorder);
  for (int round = 0; round < kRounds; ++round) {
    names.clear(), topics.clear();
    for (int i = 0; i < 20; ++i) add("r" + std::to_string(round) + "." + std::to_string(i));
    std::vector<Topic*> interests;
    for (const std::string_view name : topics) interests.push_back(hub.add_interest(sink, name)->topic);
    std::thread dropping([&] {
      for (Topic* topic : interests) hub.drop_interest(sink, *topic, false);
    });
    ASSERT_TRUE(hub.publish_rows(topics, numbers, 0, done));
    dropping.join();
    for (const std::string_view name : topics) ASSERT_EQ(hub.find(name)->seq(), 1U) << name;
  }
}

}  // namespace
}  // namespace tickwire
