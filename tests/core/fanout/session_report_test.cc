#include "fanout/session_report.h"

#include "plant.h"

namespace tickwire {
namespace {

SessionList list_sessions(Plant& plant, const SessionsQuery& query = {}) {
  const auto list = std::make_shared<SessionList>();
  plant.shard.list_sessions(query, list);
  while (list.use_count() > 1) plant.shard.run();
  keep_first(list->sessions, query);
  return *list;
}

SessionReport report(Plant& plant) {
  const SessionList list = list_sessions(plant);
  EXPECT_EQ(list.total, 1U);
  return list.sessions.at(0);
}

Lines names(const SessionList& list) {
  Lines out;
  for (const SessionReport& one : list.sessions) out.push_back(one.session);
  return out;
}

TEST(SessionReport, TellsWhoItIsAndWhatItGot) {
  Plant plant;
  plant.publish("t.a", R"({"n":1})");
  ClientInfo info;
  info.remote = "192.0.2.7:4711";
  Client client(plant, info, Compression::kNoContext);
  client.subscribe("t.a");
  client.subscribe("t.b");
  client.subscribe("u.*");
  plant.publish("t.b", "{}");
  plant.publish("u.c", "{}");
  plant.run();
  plant.clock.advance_ms(2'500);
  const SessionReport told = report(plant);
  EXPECT_EQ(told.session, "0-1");
  EXPECT_EQ(told.remote, "192.0.2.7:4711");
  EXPECT_EQ(told.compression, Compression::kNoContext);
  EXPECT_EQ(told.state, SessionState::kOpen);
  EXPECT_GE(told.connected_s, 2U);
  EXPECT_EQ(told.exact, 2U);
  EXPECT_EQ(told.patterns, 1U);
  EXPECT_EQ(told.messages, 3U) << "a snapshot and two updates; acks do not count";
  EXPECT_EQ(told.bytes, plant.shard.stats().bytes);
  EXPECT_EQ(told.behind + told.behind_ms + told.conflated + told.gaps + told.outbox_bytes, 0U);
}

TEST(SessionReport, ABlockedClientIsBehindUntilItHasCaughtUp) {
  Plant plant;
  Client client(plant);
  client.subscribe("t.a");
  client.subscribe("t.b");
  client.block();
  plant.publish("t.a", R"({"n":1})");
  plant.run();
  plant.publish("t.a", R"({"n":2})");
  plant.publish("t.b", "{}");
  plant.run();
  plant.clock.advance_ms(700);
  client.say(R"({"type":"ping"})");
  const SessionReport behind = report(plant);
  EXPECT_EQ(behind.behind, 2U);
  EXPECT_GE(behind.behind_ms, 700U);
  EXPECT_EQ(behind.conflated, 2U);
  EXPECT_GT(behind.outbox_bytes, 0U);
  client.unblock();
  const SessionReport after = report(plant);
  EXPECT_EQ(after.behind + after.behind_ms + after.outbox_bytes, 0U);
  EXPECT_EQ(after.conflated, 2U);
}

TEST(SessionReport, WhatIsOwedTwiceIsOneSubscriptionAndWhatWasUnsubscribedIsNone) {
  Plant plant;
  plant.publish("t.a", "{}");
  plant.publish("t.b", "{}");
  Client client(plant);
  client.block();
  client.say(R"({"type":"ping"})");
  client.subscribe("t.a");
  client.subscribe("t.a");
  client.subscribe("t.b");
  EXPECT_EQ(report(plant).behind, 2U);
  client.unsubscribe("t.b");
  EXPECT_EQ(report(plant).behind, 1U);
}

TEST(SessionReport, WaitingForItsPaceIsNotBehind) {
  Plant plant;
  Client client(plant);
  client.subscribe("t.a", R"(,"max_rate":1)");
  plant.publish("t.a", R"({"n":1})");
  plant.shard.run();
  EXPECT_EQ(report(plant).behind, 0U);
  EXPECT_EQ(report(plant).conflated, 0U);
}

TEST(SessionReport, AChildSubscriptionIsNotTheClients) {
  Plant plant({}, {{.pattern = "e.>", .delivery = Delivery::kEvent}});
  Client client(plant);
  client.subscribe("e.*");
  client.block();
  for (int i = 0; i < 3; ++i) {
    plant.publish("e.a", "{}");
    plant.run();
  }
  EXPECT_EQ(report(plant).exact, 0U);
  EXPECT_EQ(report(plant).patterns, 1U);
  EXPECT_GE(report(plant).behind, 1U);
}

TEST(SessionReport, GapsAreCounted) {
  Plant plant({}, {{.pattern = "e.>", .delivery = Delivery::kEvent, .ring = 1}});
  Client client(plant);
  client.subscribe("e.a");
  client.block();
  for (int i = 0; i < 5; ++i) {
    plant.publish("e.a", "{}");
    plant.run();
  }
  client.unblock();
  EXPECT_EQ(report(plant).gaps, 1U);
}

TEST(SessionList, IsSortedAndCutAtTheLimit) {
  Plant plant;
  Client quiet(plant), busy(plant), stuck(plant);
  busy.subscribe("t.*");
  stuck.subscribe("u.a");
  for (int i = 0; i < 5; ++i) plant.publish("t." + std::to_string(i), "{}");
  stuck.block();
  plant.publish("u.a", "{}");
  plant.run();
  plant.publish("u.a", "{}");
  plant.run();
  EXPECT_EQ(names(list_sessions(plant)), (Lines{"0-3", "0-1", "0-2"}));
  EXPECT_EQ(names(list_sessions(plant, {.sort = &SessionReport::messages})), (Lines{"0-2", "0-3", "0-1"}));
  for (const std::size_t limit : {1U, 2U, 3U, 4U}) {
    const SessionList list = list_sessions(plant, {.limit = limit});
    EXPECT_EQ(list.sessions.size(), std::min<std::size_t>(limit, 3)) << limit;
    EXPECT_EQ(list.total, 3U);
  }
  stuck.leave();
  EXPECT_EQ(list_sessions(plant).total, 2U);
}

}  // namespace
}  // namespace tickwire
