// Patterns of one session that match the same topics.
#include <algorithm>

#include "plant.h"

namespace tickwire {
namespace {

TEST(Overlap, APatternShowsTheTopicsThatAnEarlierOneBeganWithoutSnapshot) {
  const std::vector<std::string> patterns{"a.*", "*.x", ">"};
  for (const std::string& first : patterns) {
    for (const std::string& second : patterns) {
      if (first == second) continue;
      Plant plant;
      for (const char* topic : {"a.x", "a.y", "b.x"}) plant.publish(topic, "{}");
      Client client(plant);
      client.subscribe(first, R"(,"snapshot":false)");
      plant.run();
      plant.publish("a.x", "{}");
      plant.run();
      EXPECT_EQ(client.heard(), (Lines{"welcome", "ack", "update a.x 2"})) << first;
      client.subscribe(second);
      plant.run();
      Lines shown = client.heard();
      std::ranges::sort(shown);
      Lines expected{"ack"};
      if (second != "*.x") expected.emplace_back("snapshot a.y 1");
      if (second != "a.*") expected.emplace_back("snapshot b.x 1");
      std::ranges::sort(expected);
      EXPECT_EQ(shown, expected) << first << " then " << second << ": a.x was sent already";
      for (const char* topic : {"a.x", "a.y", "b.x"}) plant.publish(topic, "{}");
      plant.run();
      for (const std::string& line : client.heard()) EXPECT_EQ(line.substr(0, 7), "update ") << line;
    }
  }
}

TEST(Overlap, ALaterPatternWithLastBringsNoEventThatAnEarlierOneHasSent) {
  for (const char* first : {"", R"(,"snapshot":false)", R"(,"last":2)"}) {
    Plant plant{{}, {{.pattern = "e.>", .delivery = Delivery::kEvent}}};
    plant.publish("e.x", "{}");
    plant.publish("e.x", "{}");
    Client client(plant);
    client.subscribe("e.*", first);
    plant.run();
    plant.publish("e.x", "{}");
    plant.run();
    client.heard();
    client.subscribe("e.>", R"(,"last":3)");
    plant.run();
    EXPECT_EQ(client.heard(), Lines{"ack"}) << first;
    plant.publish("e.x", "{}");
    plant.run();
    EXPECT_EQ(client.heard(), Lines{"update e.x 4"}) << first;
  }
}

// A topic that owes only a status has the seq that its client knows.
TEST(Overlap, AStatusThatAPatternOwesIsToldWhateverIsSubscribedMeanwhile) {
  const Lines commands{R"("e.*"],"snapshot":false)",
                       R"("e.x"],"snapshot":false)",
                       R"("e.*"],"max_rate":5,"snapshot":false)",
                       R"("e.*"],"last":3,"snapshot":false)",
                       R"("e.x"])",
                       R"("e.*"])"};
  for (const std::string& command : commands) {
    Plant plant{{}, {{.pattern = "e.>", .delivery = Delivery::kEvent}}};
    plant.publish("e.x", "{}");
    Client client(plant);
    client.subscribe("e.*");
    plant.run();
    ASSERT_TRUE(plant.hub.set_status("e.x", TopicStatus::kHalted));
    plant.run();
    client.heard();
    client.block();
    plant.publish("e.y", "{}");
    plant.run();
    ASSERT_TRUE(plant.hub.set_status("e.x", TopicStatus::kLive));
    plant.run();
    client.say(R"({"type":"subscribe","topics":[)" + command + "}");
    plant.run();
    client.unblock();
    plant.run();
    std::string status = "halted";
    for (const auto& message : client.socket.take()) {
      if (message.value("topic", "") == "e.x") status = message.value("status", status);
    }
    EXPECT_EQ(status, "live") << command;
  }
}

}  // namespace
}  // namespace tickwire
