// No command of one client holds a shard for long: the steps (base/work.h) that one call into it takes are
// bounded, whatever the client has and asks for. They are counted, so the machine does not matter.
#include <functional>

#include "base/work.h"
#include "model/topic_name.h"
#include "plant.h"

namespace tickwire {
namespace {

// A piece, and what its session and others are sent after it.
constexpr std::uint64_t kCallStepsMax = 4 * kPieceSteps;

struct BoundedCost : testing::Test {
  static std::string name(int n) { return "t.x" + std::to_string(n); }
  void publish(int topics) {
    for (int i = 0; i < topics; ++i) plant.publish(name(i), R"({"n":1})");
  }
  static std::string subscribe_to(int from, int to) {
    std::string text = R"({"type":"subscribe","snapshot":false,"topics":[)";
    for (int i = from; i < to; ++i) text += (i > from ? ",\"" : "\"") + name(i) + "\"";
    return text + "]}";
  }
  void subscribe_all(Client& client, int topics) {
    for (int i = 0; i < topics; i += 10'000) {
      client.say(subscribe_to(i, std::min(topics, i + 10'000)));
      rest();
    }
    client.socket.take();
  }
  static std::uint64_t steps_of(const std::function<void()>& call) {
    const std::uint64_t before = Work::done();
    call();
    return Work::done() - before;
  }
  // Runs until nothing is left to do. Counts the calls, and returns the steps of the longest one.
  std::uint64_t rest() { return rest(plant); }
  std::uint64_t rest(Plant& of) {
    std::uint64_t longest = 0;
    for (calls = 0; calls < 100'000; ++calls) {
      std::int64_t wait = 0;
      longest = std::max(longest, steps_of([&] { wait = of.shard.run(); }));
      if (wait != 0) return longest;
    }
    ADD_FAILURE() << "the shard does not come to rest";
    return longest;
  }

  Plant plant;
  int calls = 0;
};

TEST_F(BoundedCost, ACommandOfASessionWithManySubscriptionsCostsWhatItAsksFor) {
  Client client(plant);
  subscribe_all(client, 50'000);
  EXPECT_EQ(client.session->subscription_count(), 50'000U);
  EXPECT_LT(steps_of([&] { client.subscribe("t.one"); }), 100U);
  EXPECT_LT(steps_of([&] { client.unsubscribe("t.one"); }), 100U);
  EXPECT_LT(steps_of([&] { client.say(R"({"type":"ping","id":1})"); }), 100U);
}

TEST_F(BoundedCost, ALongSubscribeIsDoneInPiecesAndAnsweredBeforeItsFirstSnapshot) {
  publish(9'000);
  Client client(plant);
  Client other(plant);
  other.socket.take();
  std::string text = subscribe_to(0, 9'000);
  text.replace(text.find("false"), 5, "true");
  EXPECT_LT(steps_of([&] { client.say(text); }), kCallStepsMax + text.size() / 8);
  EXPECT_TRUE(client.session->working);
  client.say(R"({"type":"ping","id":7})");
  other.say(R"({"type":"ping","id":8})");
  EXPECT_EQ(other.heard(), Lines{"pong"}) << "nobody else waits for it";
  EXPECT_EQ(client.heard(), Lines{"welcome"}) << "its own next command does";
  EXPECT_LT(rest(), kCallStepsMax);
  const Lines heard = client.heard();
  ASSERT_EQ(heard.size(), 9'002U);
  EXPECT_EQ(heard.front(), "ack");
  EXPECT_EQ(std::ranges::count(heard, "pong"), 1);
}

TEST_F(BoundedCost, UpdatesReachOthersBetweenThePieces) {
  publish(9'000);
  Client client(plant);
  Client other(plant);
  other.subscribe("t.x1");
  plant.run();
  other.socket.take();
  client.say(subscribe_to(0, 9'000));
  ASSERT_TRUE(client.session->working);
  plant.publish("t.x1", R"({"n":2})");
  plant.shard.run();
  EXPECT_TRUE(client.session->working);
  EXPECT_EQ(other.heard(), Lines{"update t.x1 2"});
  client.socket.take();
  rest();
  const Lines heard = client.heard();
  EXPECT_EQ(heard.front(), "ack");
  EXPECT_EQ(heard.back(), "snapshot t.x1 2") << "what changed before the answer is told after it";
}

TEST_F(BoundedCost, ManyPatternsThatResumeManyTopics) {
  publish(20'000);
  Client client(plant);
  std::string text = R"({"type":"subscribe","id":1,"epoch":"e1","topics":[)";
  for (int i = 0; i < 99; ++i) text += "\"t.none" + std::to_string(i) + ".>\",";
  text += R"("t.*"],"since":{)";
  for (int i = 0; i < 20'000; ++i) text += (i > 0 ? ",\"" : "\"") + name(i) + "\":1";
  client.socket.take();
  const std::uint64_t first = steps_of([&] { client.say(text + "}}"); });
  EXPECT_LT(first, kCallStepsMax + text.size() / 8);
  const std::uint64_t before = Work::done();
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_LT(Work::done() - before, 80U * 20'000U) << "each name is looked up once, not once a pattern";
  EXPECT_EQ(client.heard().front(), "ack");
}

TEST_F(BoundedCost, ASessionThatEndsGivesBackWhatItHadInPieces) {
  publish(20'000);
  {
    Client client(plant);
    client.subscribe("t.>");
    rest();
    subscribe_all(client, 40'000);
    EXPECT_EQ(plant.hub.topic_count(), 40'000U);
    EXPECT_LT(steps_of([&] { client.leave(); }), kCallStepsMax);
  }
  EXPECT_EQ(plant.shard.stats().sessions, 0U);
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_GT(calls, 5);
  EXPECT_EQ(plant.shard.stats().subscriptions, 0U);
  plant.hub.sweep();
  EXPECT_EQ(plant.hub.topic_count(), 20'000U) << "names to which nothing was ever published are forgotten";
}

TEST_F(BoundedCost, AnUnsubscribeOfManyTopics) {
  Client client(plant);
  subscribe_all(client, 10'000);
  std::string text = subscribe_to(0, 10'000);
  text.replace(text.find("subscribe"), 9, "unsubscribe");
  EXPECT_LT(steps_of([&] { client.say(text); }), kCallStepsMax + text.size() / 8);
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_EQ(client.session->subscription_count(), 0U);
  EXPECT_LT(plant.hub.topic_count(), kDirectoryRun) << "they are erased many at once";
  plant.hub.sweep();
  EXPECT_EQ(plant.hub.topic_count(), 0U);
}

// 2 MB of names that are no topics, so that each result is an error.
TEST_F(BoundedCost, AnAckOfManyErrorsIsWrittenInPiecesAndRepeatsLittleOfTheNames) {
  for (const Format format : {Format::kJson, Format::kMsgpack, Format::kCbor}) {
    for (const char* type : {"subscribe", "unsubscribe"}) {
      for (const char* filler : {"!", R"(\n)", "x"}) {
        Client client(plant, {}, Compression::kNone, format);
        client.socket.take();
        std::string names;
        for (int i = 0; i < 3'000; ++i) {
          names += (i > 0 ? ",\"n" : "\"n") + std::to_string(i) + ".";
          for (int k = 0; k < 90; ++k) names += filler;
          names += "!\"";
        }
        const std::string text = R"({"type":")" + std::string(type) + R"(","id":1,"topics":[)" + names + "]}";
        EXPECT_LT(steps_of([&] { client.say(text); }), kCallStepsMax + text.size() / 8);
        EXPECT_TRUE(client.session->working);
        EXPECT_LT(rest(), kCallStepsMax);
        EXPECT_GT(calls, 5);
        const auto messages = client.socket.take();
        ASSERT_EQ(messages.size(), 1U);
        const auto& results = messages[0]["results"];
        ASSERT_EQ(results.size(), 3'000U);
        EXPECT_GT(results[2'999]["topic"].get<std::string>().size(), 90U) << "the topic is named whole";
        const auto message = results[2'999]["error"]["message"].get<std::string>();
        EXPECT_EQ(results[2'999]["error"]["code"], "bad_topic");
        EXPECT_NE(message.find("n2999."), std::string::npos);
        EXPECT_LT(message.size(), kShownTopicBytesMax + 120) << message;
      }
    }
  }
}

TEST_F(BoundedCost, APatternOverManyTopicsComesAndGoes) {
  publish(30'000);
  Client client(plant);
  Client stays(plant);
  EXPECT_LT(steps_of([&] { client.subscribe("t.*", R"(,"snapshot":false)"); }), kCallStepsMax);
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_LT(steps_of([&] { client.unsubscribe("t.*"); }), kCallStepsMax);
  // Another subscription comes for the same topics before the pattern has left them.
  stays.subscribe("t.*");
  rest();
  plant.publish("t.x7", R"({"n":2})");
  rest();
  EXPECT_EQ(stays.heard().back(), "update t.x7 2");
}

TEST_F(BoundedCost, AnEndingPatternHandsWhatItOwesOverInPiecesAndIsAnsweredAfterThat) {
  publish(30'000);
  Client client(plant);
  Client other(plant);
  for (const char* pattern : {"t.*", "t.>"}) {
    client.subscribe(pattern);
    rest();
  }
  client.socket.take();
  client.block();
  publish(30'000);
  rest();
  EXPECT_LT(steps_of([&] { client.unsubscribe("t.*"); }), kCallStepsMax);
  EXPECT_EQ(client.session->subscription_count(), 1U);
  other.socket.take();
  other.say(R"({"type":"ping","id":8})");
  EXPECT_EQ(other.heard(), Lines{"pong"}) << "nobody else waits for it";
  plant.publish(name(7), R"({"n":2})");
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_GT(calls, 5);
  client.unblock();
  EXPECT_LT(rest(), kCallStepsMax);
  const Lines heard = client.heard();
  EXPECT_EQ(std::ranges::count(heard, "ack"), 1);
  EXPECT_EQ(std::ranges::count(heard, "snapshot " + name(7) + " 3"), 1);
  EXPECT_EQ(heard.size(), 30'002U) << "the heir shows each topic once; x7 was heard before it";
}

TEST_F(BoundedCost, APatternThatIsLiveAgainOrEndsDropsItsChildrenInPieces) {
  Plant events({}, {{.pattern = "t.>", .delivery = Delivery::kEvent, .ring = 2}});
  const auto publish_all = [&] {
    for (int i = 0; i < 20'000; ++i) events.publish(name(i), "{}");
    rest(events);
  };
  publish_all();
  for (const bool ends : {false, true}) {
    Client client(events);
    client.subscribe("t.*");
    rest(events);
    client.socket.take();
    client.block();
    publish_all();
    publish_all();
    if (ends) {
      client.socket.take();
      EXPECT_LT(steps_of([&] { client.unsubscribe("t.*"); }), kCallStepsMax);
      EXPECT_LT(rest(events), kCallStepsMax);
      client.unblock();
      publish_all();
      EXPECT_EQ(client.heard(), Lines{"ack"}) << "nothing comes of a pattern that has ended";
    } else {
      client.unblock();
      EXPECT_LT(rest(events), kCallStepsMax);
      EXPECT_FALSE(client.session->has_children());
      const auto is_update = [](const std::string& line) { return line.starts_with("update"); };
      EXPECT_EQ(std::ranges::count_if(client.heard(), is_update), 40'000);
    }
  }
}

// Each time another pattern is live again the children are looked at once more; the end waits for one look.
TEST_F(BoundedCost, APatternEndsHoweverOftenAnotherOneIsLiveAgain) {
  Plant events({}, {{.pattern = "t.>", .delivery = Delivery::kEvent, .ring = 2}});
  const auto publish_all = [&] {
    for (int i = 0; i < 20'000; ++i) events.publish(name(i), "{}");
    rest(events);
  };
  publish_all();
  Client client(events);
  client.subscribe("t.*");
  client.subscribe(">", R"(,"max_rate":1000)");
  rest(events);
  client.socket.take();
  client.block();
  publish_all();
  client.unsubscribe("t.*");
  client.unblock();
  std::size_t acks = 0;
  int runs = 0;
  for (; acks == 0 && runs < 2'000; ++runs) {
    events.publish("u.x", "{}");
    events.clock.advance_ms(1);
    EXPECT_LT(steps_of([&] { events.shard.run(); }), kCallStepsMax);
    for (const std::string& line : client.heard()) acks += line == "ack" ? 1 : 0;
  }
  EXPECT_EQ(acks, 1U);
  EXPECT_LT(runs, 300);
}

TEST_F(BoundedCost, PatternsLeaveOnlyWhatTheyMatchHoweverManyTopicsWereOnceWanted) {
  Client client(plant);
  subscribe_all(client, 60'000);
  for (int i = 0; i < 60'000; i += 10'000) {
    std::string text = subscribe_to(i, i + 10'000);
    client.say(text.replace(text.find("subscribe"), 9, "unsubscribe"));
    rest();
  }
  publish(1);
  std::string patterns = "\"t.x0.>\"";
  for (int i = 1; i < 99; ++i) patterns += ",\"none" + std::to_string(i) + ".>\"";
  for (const char* type : {"subscribe", "unsubscribe"}) {
    const std::string text = R"({"type":")" + std::string(type) + R"(","topics":[)" + patterns + ",\"t.*\"]}";
    EXPECT_LT(steps_of([&] { client.say(text); }), kCallStepsMax);
    EXPECT_LT(rest(), kCallStepsMax);
    EXPECT_LT(calls, 5) << "those that match nothing have nothing to leave";
  }
}

TEST_F(BoundedCost, AListThatMatchesNothing) {
  publish(30'000);
  Client client(plant);
  client.socket.take();
  EXPECT_LT(steps_of([&] { client.say(R"({"type":"list","id":1,"pattern":"*.none"})"); }), kCallStepsMax);
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_EQ(client.heard(), Lines{"ack"});
  EXPECT_LT(steps_of([&] { client.say(R"({"type":"list","id":1,"pattern":"none.*"})"); }), 50U)
      << "only names that begin like the pattern are looked at";
}

TEST_F(BoundedCost, ANewTopicAgainstThePatternsOfOthers) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int c = 0; c < 30; ++c) {
    clients.push_back(std::make_unique<Client>(plant));
    for (int i = 0; i < 100; ++i) {
      clients.back()->subscribe("*.c" + std::to_string(c) + "n" + std::to_string(i) + ".>");
    }
  }
  rest();
  EXPECT_LT(steps_of([&] { plant.publish("t.new", R"({"n":1})"); }), 50U);
  EXPECT_LT(rest(), 50U);
}

TEST_F(BoundedCost, ManyCommandsInOneReadWaitForTheNextRun) {
  publish(10'000);
  Client client(plant);
  Client other(plant);
  const std::uint64_t steps = steps_of([&] {
    for (int i = 0; i < 100; ++i) client.say(R"({"type":"list","pattern":"*.none"})");
  });
  EXPECT_LT(steps, kCallStepsMax);
  client.socket.take();
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_EQ(client.heard().size(), 100U);
}

// A loop that is not woken comes back only when the last run said so, which may be a quarter second away.
// A loop calls run() before it waits, and waits for no longer than that says. (net/'s tests hold it to that.)
TEST_F(BoundedCost, WhatIsLeftAfterAMessageOrAnEndIsGoneOnWithWithoutAWait) {
  publish(20'000);
  Client client(plant);
  const auto waits_after = [&](const std::function<void()>& call) {
    rest();
    call();
    return plant.shard.run() != 0;
  };
  EXPECT_TRUE(waits_after([&] { client.say(R"({"type":"ping"})"); })) << "nothing is left of it";
  EXPECT_FALSE(waits_after([&] { client.say(subscribe_to(0, 10'000)); }));
  EXPECT_FALSE(waits_after([&] { client.say(R"({"type":"list","pattern":"*.no"})"); }));
  const std::string large = R"({"type":"publish","topic":"t.y","data":{"x":")" + std::string(100'000, 'x');
  EXPECT_FALSE(waits_after([&] {
    for (int i = 0; i < 20; ++i) client.say(large + "\"}}");
  }));
  EXPECT_FALSE(waits_after([&] { client.leave(); }));
}

TEST_F(BoundedCost, ASessionMayEndOrDrainBetweenThePiecesOfItsCommand) {
  publish(9'000);
  {
    Client client(plant);
    client.say(subscribe_to(0, 9'000));
    ASSERT_TRUE(client.session->working);
  }
  Client drained(plant);
  drained.say(subscribe_to(0, 9'000));
  plant.shard.drain(0);
  EXPECT_LT(rest(), kCallStepsMax);
  EXPECT_NE(drained.socket.close_code, 0);
  drained.leave();
  rest();
  EXPECT_EQ(plant.shard.stats().subscriptions, 0U);
}

}  // namespace
}  // namespace tickwire
