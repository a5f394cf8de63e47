// Leases of a session whose patterns end in pieces: what ends is silent at once, what goes on misses nothing.
#include "answering.h"

namespace tickwire {
namespace {

const std::vector<TopicRule> kEvents{{.pattern = "guarded.>", .delivery = Delivery::kEvent, .ring = 4}};

ShardConfig in_small_pieces() {
  ShardConfig config;
  config.piece_steps = 4;
  return config;
}

std::string event(int n) {
  return "guarded.e" + std::to_string(n);
}

void publish_all(Plant& plant, int topics) {
  for (int i = 0; i < topics; ++i) plant.publish(event(i), "{}");
}

TEST(LeaseAndPattern, OfWhatWasDeniedNothingIsSentAnyMoreThoughItEndsInPieces) {
  for (const bool denied : {true, false}) {
    Answering plant(in_small_pieces(), kEvents);
    publish_all(plant, 200);
    Client client(plant);
    plant.admit(client, "guarded.*", 100'000);
    client.block();
    for (int i = 0; i < 2; ++i) {
      publish_all(plant, 200);
      plant.run();
    }
    client.heard();
    ASSERT_TRUE(client.session->has_children());
    plant.clock.advance_ms(denied ? 99'000 : 100'000);
    plant.shard.run();
    if (denied) {
      plant.shard.answer(deny(plant.last(), "no more"));
      plant.shard.run();
    }
    client.unblock();
    publish_all(plant, 200);
    plant.run();
    EXPECT_EQ(client.heard(), Lines{"error guarded.*"});
    EXPECT_FALSE(client.session->has_children());
  }
}

TEST(LeaseAndPattern, AnEventTopicThatAPatternGoesOnWithIsNotRepeatedWhenItsLeaseIsResumed) {
  Answering plant({}, kEvents);
  plant.publish("guarded.a", "{}");
  Client client(plant);
  plant.admit(client, "guarded.a", 1'000);
  plant.admit(client, "guarded.*");
  plant.pass_ms(1'000);
  EXPECT_EQ(client.heard(), Lines{"error guarded.a"});
  plant.publish("guarded.a", "{}");
  plant.publish("guarded.a", "{}");
  plant.run();
  EXPECT_EQ(client.heard(), (Lines{"update guarded.a 2", "update guarded.a 3"}));
  plant.answer(allow(plant.access.questions[2]));
  EXPECT_EQ(client.heard(), Lines{"snapshot guarded.a 3"});
  plant.publish("guarded.a", "{}");
  plant.run();
  EXPECT_EQ(client.heard(), Lines{"update guarded.a 4"});
}

TEST(LeaseAndPattern, ASubscribeThatWasAllowedHoldsThoughTheOldLeaseEndsBetweenItsPieces) {
  for (int pieces = 0; pieces < 40; ++pieces) {
    Answering plant(in_small_pieces(), kEvents);
    publish_all(plant, 50);
    Client client(plant);
    plant.admit(client, "guarded.*", 1'000);
    plant.clock.advance_ms(999);
    std::string others;
    for (int i = 0; i < 30; ++i) others += ",\"open." + std::to_string(i) + "\"";
    client.say(R"({"type":"subscribe","topics":["guarded.*")" + others + "]}");
    // It is asked about last, after the renewal.
    for (std::size_t asked = 0; asked < 2; asked += plant.asked()) plant.shard.run();
    plant.shard.answer(allow(plant.last(), 60'000));
    for (int i = 0; i < pieces; ++i) plant.shard.run();
    plant.pass_ms(1);
    client.heard();
    ASSERT_EQ(client.session->pattern_count(), 1U) << pieces;
    publish_all(plant, 50);
    plant.run();
    EXPECT_EQ(client.heard().size(), 50U) << pieces;
  }
}

TEST(LeaseAndPattern, WhoSubscribesWhileAPatternEndsIsShownAll) {
  bool was_ending = false;
  for (int pieces = 0; pieces < 40; ++pieces) {
    Answering plant(in_small_pieces(), kEvents);
    publish_all(plant, 60);
    plant.publish("open.a", "{}");
    Client client(plant);
    client.subscribe("open.*", R"(,"max_rate":1)");
    plant.run();
    plant.admit(client, "guarded.>", 1'000);
    plant.publish("open.a", "{}");
    publish_all(plant, 60);
    plant.shard.run();
    client.block();
    plant.clock.advance_ms(1'000);
    for (int i = 0; i < pieces; ++i) plant.shard.run();
    was_ending = was_ending || client.session->ending_count() > 0;
    client.subscribe("guarded.*");
    plant.shard.answer(allow(plant.last()));
    plant.run();
    client.heard();
    client.unblock();
    plant.run();
    const auto is_snapshot = [](const std::string& line) { return line.starts_with("snapshot guarded"); };
    EXPECT_EQ(std::ranges::count_if(client.heard(), is_snapshot), 60) << pieces;
  }
  EXPECT_TRUE(was_ending);
}

}  // namespace
}  // namespace tickwire
