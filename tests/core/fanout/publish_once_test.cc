// Updates that clients publish under a name, which counts once, and the author that the server sets.
#include <string>

#include "answering.h"
#include "fanout/publish_once.h"

namespace tickwire {
namespace {

PublishOnce::Name name_of(const std::string& client, const std::string& once) {
  return {client, "chat.room", once};
}

TEST(PublishOnce, KnowsANameForAMinute) {
  PublishOnce names;
  EXPECT_EQ(names.begin(name_of("a", "1"), 0).value(), std::nullopt);
  EXPECT_EQ(names.begin(name_of("a", "1"), 1).error().code, ErrorCode::kUnavailable) << "not published yet";
  names.end(name_of("a", "1"), std::uint64_t{7}, 0);
  EXPECT_EQ(names.begin(name_of("a", "1"), kOnceMs * 1000 - 1).value(), 7U);
  EXPECT_EQ(names.begin(name_of("b", "1"), 2).value(), std::nullopt) << "of another client";
  EXPECT_EQ(names.begin(name_of("a", "1"), kOnceMs * 1000).value(), std::nullopt);
}

TEST(PublishOnce, GivesTheNameOfWhatWasRefusedBack) {
  PublishOnce names;
  EXPECT_TRUE(names.begin(name_of("a", "1"), 0));
  names.end(name_of("a", "1"), Error{ErrorCode::kBadData, "no", ""}, 0);
  EXPECT_EQ(names.size(), 0U);
  EXPECT_EQ(names.begin(name_of("a", "1"), 0).value(), std::nullopt);
}

TEST(PublishOnce, HasALimitForEachClientAndForAll) {
  PublishOnce names;
  for (std::size_t i = 0; i < kOncePerClientMax; ++i)
    ASSERT_TRUE(names.begin(name_of("a", std::to_string(i)), 0));
  EXPECT_EQ(names.begin(name_of("a", "x"), 0).error().limit, Limit::kOncePerClient);
  for (std::size_t i = kOncePerClientMax; i < kOnceMax; ++i) {
    const PublishOnce::Name name = name_of(std::to_string(i / kOncePerClientMax), std::to_string(i));
    ASSERT_TRUE(names.begin(name, 0));
    names.end(name, std::uint64_t{i}, 0);
  }
  EXPECT_EQ(names.begin(name_of("x", "x"), 0).error().limit, Limit::kOnce);
  EXPECT_EQ(names.size(), kOnceMax);
  EXPECT_TRUE(names.begin(name_of("smia", "x"), 0)) << "who has a subject shares no room with addresses";
  EXPECT_TRUE(names.begin(name_of("x", "x"), kOnceMs * 1000)) << "the first ones are forgotten";
  EXPECT_LT(names.size(), kOnceMax);
}

TEST(PublishOnce, AnOldNameIsNewHoweverManyOthersAreOld) {
  PublishOnce names;
  const auto publish = [&names](const std::string& client, std::size_t i, std::int64_t now_us) {
    const PublishOnce::Name name = name_of(client, std::to_string(i));
    const auto begun = names.begin(name, now_us);
    ASSERT_TRUE(begun) << begun.error().message;
    ASSERT_EQ(*begun, std::nullopt) << client << " " << i;
    names.end(name, i, now_us);
  };
  const std::size_t clients = kOnceMax / kOncePerClientMax;
  for (std::size_t client = 0; client < clients; ++client) {
    for (std::size_t i = 0; i < kOncePerClientMax; ++i) publish(std::to_string(client), i, 0);
  }
  const std::string last = std::to_string(clients - 1);
  const std::int64_t later = kOnceMs * 1000;
  for (std::size_t i = kOncePerClientMax; i-- > 0;) publish(last, i, later);
  EXPECT_EQ(names.begin(name_of(last, "0"), later + 1).value(), 0U);
  for (std::size_t i = 0; i < clients * kOncePerClientMax; ++i) (void)names.begin(name_of("y", "y"), later);
  EXPECT_EQ(names.size(), kOncePerClientMax + 1) << "all that are old are forgotten, and none that is not";
}

struct OnceAndAuthor : testing::Test {
  OnceAndAuthor() { plant.access.publish = true; }
  static ShardConfig config_of(PublishOnce& names) {
    ShardConfig config;
    config.once = &names;
    return config;
  }
  nlohmann::json published(Client& client, const std::string& data, const std::string& more = "") {
    client.say(R"({"type":"publish","id":1,"topic":"chat.room","data":)" + data + more + "}");
    plant.run();
    for (nlohmann::json& message : client.socket.take()) {
      if (message.contains("id")) return std::move(message);
    }
    return {};
  }

  PublishOnce names;
  Answering plant{config_of(names)};
  Client client{plant};
};

TEST_F(OnceAndAuthor, ANameIsPublishedOnce) {
  const std::string once = R"(,"once":"n1")";
  EXPECT_EQ(published(client, R"({"n":1})", once)["results"][0],
            nlohmann::json::parse(R"({"topic":"chat.room","seq":1})"));
  const auto again = nlohmann::json::parse(R"({"topic":"chat.room","seq":1,"duplicate":true})");
  EXPECT_EQ(published(client, R"({"n":1})", once)["results"][0], again);
  Client back(plant);
  EXPECT_EQ(published(back, R"({"n":1})", once)["results"][0], again) << "after a lost connection";
  EXPECT_EQ(published(client, R"({"n":2})", R"(,"once":"n2")")["results"][0]["seq"], 2);
  EXPECT_EQ(plant.hub.find("chat.room")->seq(), 2U);
}

TEST_F(OnceAndAuthor, ARefusedUpdateMayComeAgainUnderItsName) {
  plant.access.publish = false;
  EXPECT_EQ(published(client, R"({"n":1})", R"(,"once":"n1")")["code"], "denied");
  plant.access.publish = true;
  EXPECT_EQ(published(client, R"({"n":1})", R"(,"once":"n1")")["results"][0]["seq"], 1);
}

TEST_F(OnceAndAuthor, ANameHasOneTo64Bytes) {
  for (const std::string& wrong : {std::string(R"("")"), '"' + std::string(65, 'x') + '"', std::string("7")})
    EXPECT_EQ(published(client, "{}", R"(,"once":)" + wrong)["field"], "once");
  EXPECT_EQ(published(client, "{}", R"(,"once":")" + std::string(64, 'x') + '"')["type"], "ack");
}

TEST_F(OnceAndAuthor, TheServerSetsTheAuthor) {
  client.session->client.subject = R"(mi"a)";
  published(client, R"({"text":"hi"})");
  EXPECT_EQ(plant.hub.find("chat.room")->image(), R"({"author":"mi\"a","text":"hi"})");
  published(client, "{ }");
  EXPECT_EQ(plant.hub.find("chat.room")->seq(), 2U);
}

TEST_F(OnceAndAuthor, NoClientSaysWhoItIs) {
  for (const char* const subject : {"", "mia"}) {
    client.session->client.subject = subject;
    const auto refused = published(client, R"({"text":"hi","auth\u006fr":"bob"})");
    EXPECT_EQ(refused["code"], "bad_data");
    EXPECT_EQ(refused["field"], "data.author");
  }
  EXPECT_EQ(plant.hub.find("chat.room"), nullptr);
  EXPECT_EQ(published(client, R"({"of":{"author":"bob"}})")["type"], "ack") << "within another field";
}

}  // namespace
}  // namespace tickwire
