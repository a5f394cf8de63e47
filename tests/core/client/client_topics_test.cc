#include "client/client_topics.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tickwire {
namespace {

class Topics : public testing::Test {
 protected:
  ClientTopic& follow(const std::string& name, std::uint64_t seq) {
    ClientTopic& topic = topics_.change(name);
    topic.seq = seq;
    topic.synced = true;
    topics_.replace_image(topic, R"({"x":1})");
    topics_.arm(topic, 0);
    return topic;
  }

  bool goes_on(const std::string& text) {
    MessageHead head;
    std::uint64_t before = 0;
    return read_head(text, head) && topics_.go_on(text, head, before) != nullptr;
  }

  static std::string update(const std::string& name, int seq, const std::string& data = R"({"y":2})") {
    return R"({"type":"update","topic":")" + name + R"(","seq":)" + std::to_string(seq) +
           R"(,"ts":1,"data":)" + data + "}";
  }

  std::vector<std::string> changed() {
    std::vector<std::string> names;
    topics_.take_changed([&](const ClientTopic& topic) { names.emplace_back(topic.name.view()); });
    return names;
  }

  ClientTopics topics_;
};

TEST_F(Topics, AnArmedTopicGoesOnWithItsNextUpdateAndNoOther) {
  follow("a", 5);
  EXPECT_FALSE(goes_on(update("a", 5)));
  EXPECT_FALSE(goes_on(update("a", 7)));
  EXPECT_FALSE(goes_on(update("b", 6)));
  EXPECT_TRUE(goes_on(update("a", 6)));
  EXPECT_EQ(topics_.find("a")->image.view(), R"({"x":1,"y":2})");
  EXPECT_EQ(topics_.find("a")->seq, 6U);
}

TEST_F(Topics, AnyOtherChangeEndsThat) {
  follow("a", 5);
  topics_.change("a");
  EXPECT_FALSE(goes_on(update("a", 6)));
  follow("a", 5);
  topics_.disarm_all();
  EXPECT_FALSE(goes_on(update("a", 6)));
}

TEST_F(Topics, WhatTheScannerRefusesChangesNothing) {
  follow("a", 5);
  EXPECT_FALSE(goes_on(update("a", 6, R"({"y":1e999})")));
  EXPECT_EQ(topics_.find("a")->image.view(), R"({"x":1})");
  EXPECT_TRUE(goes_on(update("a", 6)));
}

TEST_F(Topics, AForgottenTopicIsGoneAndItsPlaceIsUsedAgain) {
  follow("a", 5);
  EXPECT_TRUE(topics_.forget("a"));
  EXPECT_FALSE(topics_.forget("a"));
  EXPECT_EQ(topics_.find("a"), nullptr);
  EXPECT_EQ(follow("b", 1).number, 0U);
  EXPECT_EQ(topics_.size(), 1U);
  EXPECT_FALSE(goes_on(update("a", 6)));
}

TEST_F(Topics, ChangesAreToldOnceEach) {
  follow("a", 1);
  follow("b", 1);
  EXPECT_EQ(changed(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(changed().empty());
  EXPECT_TRUE(goes_on(update("b", 2)));
  EXPECT_TRUE(goes_on(update("b", 3)));
  EXPECT_EQ(changed(), std::vector<std::string>{"b"});
}

TEST_F(Topics, WhatComesAndGoesUnheardTakesNoMemoryInTheListOfChanges) {
  changed();
  for (int i = 0; i < 1000; ++i) {
    follow("a" + std::to_string(i), 1);
    topics_.forget("a" + std::to_string(i));
  }
  follow("b", 1);
  EXPECT_EQ(changed(), std::vector<std::string>{"b"});
}

TEST_F(Topics, KeepsAsManyDifferentStatusesAsAServerMaySay) {
  for (std::size_t i = 2; i < kStatusesMax; ++i) {
    EXPECT_EQ(topics_.status_number("s" + std::to_string(i)), i);
  }
  EXPECT_EQ(topics_.status_number("one more"), kNoStatus);
  EXPECT_EQ(topics_.status_number("s5"), 5U);
  EXPECT_EQ(topics_.status_number("live"), kLiveStatus);
}

TEST(ExactText, KeepsWhatItIsGivenAndItsBlockWhileThatFits) {
  ExactText text("0123456789");
  EXPECT_EQ(text.view(), "0123456789");
  text.assign("01234");
  EXPECT_EQ(text.view(), "01234");
  EXPECT_EQ(text.memory_bytes(), 10U);
  text.assign("0123");
  EXPECT_EQ(text.memory_bytes(), 4U);
  text.assign("");
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.memory_bytes(), 0U);
  text.assign("01234567890");
  EXPECT_EQ(text.view(), "01234567890");
  EXPECT_EQ(text.memory_bytes(), 11U);
}

}  // namespace
}  // namespace tickwire
