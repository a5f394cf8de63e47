#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <thread>

#include "fakes/fake_clock.h"
#include "hub/hub.h"

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
