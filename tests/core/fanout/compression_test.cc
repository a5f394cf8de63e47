#include "fanout/encoder.h"
#include "plant.h"

namespace tickwire {
namespace {

std::string ticker(int i) {
  return R"({"last":")" + std::to_string(50000 + i) + R"(.10","bid":")" + std::to_string(49990 + i) +
         R"(.00","ask":")" + std::to_string(50010 + i) + R"(.00","volume":"1234.5678"})";
}

TEST(Compression, LiveUpdatesAreLinkedAndReadByAnyInflater) {
  for (const std::string subscription : {"t.a", "t.*"}) {
    for (const Format format : {Format::kJson, Format::kMsgpack, Format::kCbor}) {
      Plant plant;
      plant.publish("t.a", ticker(0));
      Client client(plant, {}, Compression::kContext, format);
      client.subscribe(subscription);
      for (int i = 1; i <= 50; ++i) {
        plant.publish("t.a", ticker(i));
        plant.run();
      }
      const auto messages = client.socket.take();
      ASSERT_EQ(messages.size(), 53U);
      for (int i = 1; i <= 50; ++i) {
        EXPECT_EQ(messages[static_cast<std::size_t>(i) + 2]["data"], nlohmann::json::parse(ticker(i)));
      }
      EXPECT_EQ(client.socket.compressed_messages, 51) << "control messages go plain";
      EXPECT_GE(plant.shard.stats().linked, 49U) << subscription;
      const double bytes_a_message = static_cast<double>(plant.shard.stats().bytes) / 53;
      EXPECT_LT(bytes_a_message, 60) << subscription;
    }
  }
}

TEST(Compression, WithoutContextEachMessageStandsAlone) {
  Plant plant;
  Client client(plant, {}, Compression::kNoContext);
  client.subscribe("t.a");
  for (int i = 1; i <= 10; ++i) {
    plant.publish("t.a", ticker(i));
    plant.run();
  }
  EXPECT_EQ(plant.shard.stats().linked, 0U);
  EXPECT_EQ(plant.shard.stats().standalone, 10U);
  EXPECT_EQ(client.socket.take().size(), 12U);
}

TEST(Compression, ClientsOfOnePaceShareTheirBases) {
  for (const Format format : {Format::kJson, Format::kMsgpack, Format::kCbor}) {
    Plant plant;
    Client client(plant, {}, Compression::kContext, format);
    client.subscribe("t.a", R"(,"max_rate":10)");
    for (int i = 0; i < 100; ++i) {
      plant.publish("t.a", ticker(i));
      plant.shard.run();
      plant.clock.advance_ms(20);
    }
    plant.run();
    EXPECT_GE(plant.shard.stats().linked, 15U);
    EXPECT_EQ(client.heard().back(), "snapshot t.a 100");
  }
}

TEST(Compression, AMessageTooLargeToLinkStandsAlone) {
  Plant plant;
  Client client(plant, {}, Compression::kContext);
  client.subscribe("t.a");
  for (int i = 0; i < 3; ++i) {
    plant.publish("t.a", R"({"p":")" + std::string(40'000, static_cast<char>('a' + i)) + "\"}");
    plant.run();
  }
  EXPECT_EQ(plant.shard.stats().linked, 0U);
  EXPECT_EQ(client.socket.take().back()["data"]["p"].get<std::string>(), std::string(40'000, 'c'));
}

TEST(Compression, AMessagePastTheLimitGoesPlainAndTheNextOnesAreRight) {
  for (const char* subscribe :
       {R"({"type":"subscribe","topics":["t.a"]})", R"({"type":"subscribe","topics":["t.*"]})",
        R"({"type":"subscribe","topics":["t.a"],"max_rate":10})"}) {
    Plant plant;
    Client plain(plant);
    Client client(plant, {}, Compression::kContext);
    plain.say(subscribe);
    client.say(subscribe);
    // The message of an update with so many bytes of filler.
    const auto message_bytes = [&](int i, std::size_t filler) {
      plant.publish("t.a", R"({"n":)" + std::to_string(i) + R"(,"p":")" + std::string(filler, 'x') + "\"}");
      plant.run();
      plant.clock.advance_ms(200);
      plant.run();
      const std::size_t bytes = plain.socket.texts.back().size();
      EXPECT_EQ(client.socket.texts.back(), plain.socket.texts.back());
      return bytes;
    };
    const std::size_t most = kCompressedBytesMax - message_bytes(1, 0);
    int i = 1;
    int compressed = client.socket.compressed_messages;
    for (const std::size_t filler : {std::size_t{100}, most + 1, std::size_t{100}, std::size_t{100}, most,
                                     most, std::size_t{100}, most + 1, most + 1, std::size_t{100}}) {
      EXPECT_EQ(message_bytes(++i % 10, filler) > kCompressedBytesMax, filler > most);
      compressed += filler > most ? 0 : 1;
      EXPECT_EQ(client.socket.compressed_messages, compressed) << subscribe << i;
    }
  }
}

TEST(Compression, AStatusBetweenTwoUpdatesLeavesTheBasesRight) {
  Plant plant;
  plant.publish("t.a", ticker(0));
  ASSERT_TRUE(plant.hub.set_status("t.a", TopicStatus::kHalted));
  Client client(plant, {}, Compression::kContext);
  client.subscribe("t.a");
  for (int i = 1; i <= 6; ++i) {
    plant.publish("t.a", ticker(i));
    ASSERT_TRUE(plant.hub.set_status("t.a", i % 2 == 0 ? TopicStatus::kHalted : TopicStatus::kLive));
    plant.run();
  }
  EXPECT_EQ(client.heard().size(), 3U + 6U + 6U);
  EXPECT_GE(plant.shard.stats().linked, 5U);
}

}  // namespace
}  // namespace tickwire
