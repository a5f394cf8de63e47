// What core/cluster asks of a log and a table, asked of a real redis-server.
#include "redis/redis_log.h"

#include <gtest/gtest.h>

#include "redis_process.h"

namespace tickwire::redis {
namespace {

using cluster::Appended;
using cluster::LogState;
using cluster::Position;
using cluster::Row;

constexpr std::chrono::milliseconds kTimeout{3'000};

RedisProcess& engine() {
  static RedisProcess process;
  return process;
}

Row row_of(const std::string& topic, std::uint64_t n, std::string image = "{}") {
  return {topic, n, 3, 1'700'000'000'000, TopicStatus::kStale, Delivery::kEvent, 2, std::move(image)};
}

class RedisLogTest : public testing::Test {
 protected:
  RedisLogTest() { engine().ask({"FLUSHALL"}); }

  // One that has done with the call that only connects.
  static std::unique_ptr<RedisLog> connected() {
    auto log = std::make_unique<RedisLog>(engine().url(), "test", kTimeout);
    EXPECT_TRUE(log->open().ok());
    return log;
  }
  // An engine with an empty log, in which `node` is a member.
  void fill(const Position& at = {}, const std::vector<Row>& rows = {}) {
    ASSERT_TRUE(*log->claim_seed("attempt"));
    ASSERT_TRUE(*log->seed("attempt", rows));
    ASSERT_TRUE(*log->open("attempt", at, "e1", "c1"));
  }
  LogState join(const std::string& node) { return *log->hello({node, true, "next", "nonce"}); }
  Appended append(std::uint64_t no, const std::string& epoch = "e1", const std::string& node = "a") {
    return *log->append({node, no, epoch, "c-" + node + std::to_string(no), "records " + std::to_string(no)});
  }

  std::unique_ptr<RedisLog> log = connected();
};

TEST_F(RedisLogTest, AnEmptyEngineSaysSoUntilOneHasFilledIt) {
  EXPECT_TRUE(log->state("a")->empty);
  EXPECT_TRUE(log->hello({"a", true, "x", "y"})->empty);
  EXPECT_EQ(append(1), Appended::kFenced);
  fill();
  const auto state = log->state("a");
  EXPECT_FALSE(state->empty);
  EXPECT_FALSE(state->is_member);
  EXPECT_EQ(state->head.n, 1U) << "an entry begins the epoch";
  EXPECT_EQ(state->head.epoch, "e1");
  EXPECT_EQ(state->head.chain, "c1");
  EXPECT_GT(state->head.ts, 1'700'000'000'000);
}

TEST_F(RedisLogTest, OneFillsItAndNobodyElse) {
  const auto other = connected();
  EXPECT_TRUE(*log->claim_seed("one"));
  EXPECT_FALSE(*other->claim_seed("two"));
  EXPECT_FALSE(*other->seed("two", {row_of("t.x", 1)}));
  EXPECT_FALSE(*other->open("two", {}, "e", "c"));
  EXPECT_TRUE(*log->open("one", {}, "e1", "c1"));
  EXPECT_FALSE(*log->open("one", {}, "e2", "c2")) << "it is open";
  EXPECT_FALSE(*log->seed("one", {row_of("t.x", 1)}));
  EXPECT_FALSE(*log->claim_seed("three"));
  EXPECT_EQ(log->state("")->head.epoch, "e1");
}

TEST_F(RedisLogTest, AnOpenedLogGoesOnAfterThePositionOfWhoFilledIt) {
  fill({41, "c41", "e0", 9'000'000'000'000}, {row_of("t.x", 40)});
  const auto entries = log->read(0, 64);
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().n, 42U);
  EXPECT_EQ(entries->front().previous, "c41");
  EXPECT_EQ(entries->front().ts, 9'000'000'000'000) << "time does not step back";
  EXPECT_EQ(entries->front().node, "");
  EXPECT_EQ(log->written()->n, 41U);
  EXPECT_EQ(log->written()->epoch, "e0");
  EXPECT_EQ(log->written()->chain, "c41");
}

TEST_F(RedisLogTest, EntriesAreNumberedAndEachNamesTheOneBefore) {
  fill();
  join("a");
  EXPECT_EQ(append(1), Appended::kDone);
  EXPECT_EQ(append(2), Appended::kDone);
  const auto entries = log->read(1, 64);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].n, 2U);
  EXPECT_EQ((*entries)[0].previous, "c1");
  EXPECT_EQ((*entries)[1].previous, (*entries)[0].nonce);
  EXPECT_EQ((*entries)[1].node, "a");
  EXPECT_EQ((*entries)[1].batch, 2U);
  EXPECT_EQ((*entries)[1].epoch, "e1");
  EXPECT_EQ((*entries)[1].records, "records 2");
  EXPECT_EQ(log->read(1, 1)->size(), 1U);
  EXPECT_TRUE(log->read(3, 64)->empty());
}

TEST_F(RedisLogTest, RecordsAreAnyBytes) {
  fill();
  join("a");
  const std::string bytes("\0\r\n\xff{}", 6);
  EXPECT_EQ(*log->append({"a", 1, "e1", "c", bytes}), Appended::kDone);
  EXPECT_EQ(log->read(1, 64)->front().records, bytes);
}

TEST_F(RedisLogTest, ABatchIsTakenOnce) {
  fill();
  join("a");
  append(1);
  append(2);
  EXPECT_EQ(append(1), Appended::kDone);
  EXPECT_EQ(append(2), Appended::kDone);
  EXPECT_EQ(log->state("a")->head.n, 3U);
  EXPECT_EQ(log->state("a")->batch, 2U);
}

TEST_F(RedisLogTest, WhoIsNoMemberAndWhoMeansAnotherEpochAppendsNothing) {
  fill();
  EXPECT_EQ(append(1), Appended::kGone);
  EXPECT_FALSE(log->hello({"a", false, "x", "y"})->is_member) << "hello alone makes nobody a member";
  EXPECT_TRUE(join("a").is_member);
  EXPECT_EQ(append(1, "e0"), Appended::kFenced);
  EXPECT_EQ(log->state("a")->head.n, 1U);
}

TEST_F(RedisLogTest, AnEngineThatBecamePrimaryBeginsAnEpochBeforeItsFirstAppend) {
  fill();
  join("a");
  append(1);
  // What a failover does to its replication id.
  engine().ask({"REPLICAOF", "127.0.0.1", "1"});
  engine().ask({"REPLICAOF", "NO", "ONE"});
  EXPECT_EQ(append(2), Appended::kFenced) << "also over the connection of before";
  EXPECT_FALSE(*log->begin("right", "a", "e1", 2));
  const auto state = log->hello({"a", false, "e2", "c-e2"});
  EXPECT_EQ(state->head.epoch, "e2");
  EXPECT_EQ(state->head.n, 3U);
  EXPECT_TRUE(state->is_member);
  EXPECT_EQ(log->hello({"a", false, "e3", "c-e3"})->head.epoch, "e2") << "it began already";
  EXPECT_EQ(append(2), Appended::kFenced);
  EXPECT_EQ(append(2, "e2"), Appended::kDone);
}

TEST_F(RedisLogTest, AReplicaIsNotUsed) {
  engine().ask({"REPLICAOF", "127.0.0.1", "1"});
  RedisLog other(engine().url(), "test", kTimeout);
  const Status opened = other.open();
  engine().ask({"REPLICAOF", "NO", "ONE"});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(opened.error().message.find("it is a replica"), std::string::npos);
}

TEST_F(RedisLogTest, WhoFindsItsConnectionGoneHearsOfItOnceUnlessItSaysHello) {
  fill();
  join("a");
  engine().ask({"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_FALSE(log->state("a").ok()) << "it was cut";
  EXPECT_FALSE(log->state("a").ok()) << "and is another one now";
  EXPECT_TRUE(log->state("a").ok());
  engine().ask({"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_FALSE(log->read(1, 1).ok());
  EXPECT_TRUE(log->hello({"a", false, "x", "y"}).ok());
  EXPECT_EQ(append(1), Appended::kDone);
}

TEST_F(RedisLogTest, AnEngineThatIsAwayIsFoundAgain) {
  RedisProcess process;
  RedisLog away(process.url(), "test", kTimeout);
  ASSERT_TRUE(away.open().ok());
  process.stop();
  EXPECT_FALSE(away.state("a").ok());
  const auto refused = away.state("a");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find(process.url().text()), std::string::npos);
  process.start();
  EXPECT_FALSE(away.state("a").ok());
  EXPECT_TRUE(away.state("a")->empty);
}

TEST_F(RedisLogTest, ACallEndsWhenTheServerEndsAlsoWhereTheEngineStandsStill) {
  RedisProcess process;
  RedisLog stands(process.url(), "test", std::chrono::hours(1));
  ASSERT_TRUE(stands.open().ok());
  process.signal(SIGSTOP);
  std::jthread ends([&stands] { stands.end(); });
  EXPECT_FALSE(stands.state("a").ok());
  EXPECT_FALSE(stands.state("a").ok()) << "and none comes after it";
}

TEST_F(RedisLogTest, OneNodeWritesTheTableAndNeverOneThatIsBehindIt) {
  fill();
  join("a");
  join("b");
  append(1);
  append(2);
  EXPECT_FALSE(*log->begin("r1", "a", "e0", 3)) << "another epoch";
  EXPECT_TRUE(*log->begin("r1", "a", "e1", 3));
  EXPECT_FALSE(*log->begin("r2", "b", "e1", 3)) << "a writes";
  EXPECT_FALSE(*log->write("r2", {row_of("t.x", 3)}));
  EXPECT_TRUE(*log->write("r1", {row_of("t.x", 3)}));
  EXPECT_TRUE(*log->end("r1", {3, "c-a2", "e1", 5}, 0));
  EXPECT_EQ(log->written()->n, 3U);
  EXPECT_EQ(log->written()->ts, 5);
  EXPECT_FALSE(*log->begin("r3", "a", "e1", 2)) << "it is behind";
  EXPECT_TRUE(*log->begin("r4", "a", "e1", 3));
  EXPECT_FALSE(*log->write("r1", {row_of("t.y", 3)})) << "a right is used once";
}

TEST_F(RedisLogTest, WhatTheTableHasIsTrimmedAndNoMore) {
  fill();
  join("a");
  for (std::uint64_t no = 1; no <= 5; ++no) append(no);
  ASSERT_TRUE(*log->begin("r", "a", "e1", 4));
  ASSERT_TRUE(*log->end("r", {4, "c-a3", "e1", 5}, 2));
  EXPECT_EQ(log->read(0, 64)->front().n, 3U);
  ASSERT_TRUE(*log->begin("r", "a", "e1", 4));
  ASSERT_TRUE(*log->end("r", {4, "c-a3", "e1", 5}, 6));
  EXPECT_EQ(log->read(0, 64)->front().n, 5U) << "those after the table are kept";
  ASSERT_TRUE(*log->begin("r", "a", "e1", 6));
  ASSERT_TRUE(*log->end("r", {6, "c-a5", "e1", 5}, 6));
  EXPECT_FALSE(log->state("a")->empty) << "a log that is trimmed to nothing is one";
  EXPECT_EQ(append(6), Appended::kDone);
  EXPECT_EQ(log->read(0, 64)->front().n, 7U);
}

TEST_F(RedisLogTest, RowsComeBackAsTheyWereAlsoManyAndLargeOnes) {
  std::vector<Row> rows{row_of("t.large", 7, std::string(kRowBytesAtOnce, 'x')), row_of("t.empty", 8, "")};
  rows.push_back(
      {"t.most", UINT64_MAX, UINT64_MAX, INT64_MAX, TopicStatus::kClosed, Delivery::kValue, 0, "{\"a\":1}"});
  for (int i = 0; i < 1'500; ++i) rows.push_back(row_of("t.n" + std::to_string(i), 5));
  fill({}, {rows.begin(), rows.begin() + 3});
  join("a");
  ASSERT_TRUE(*log->begin("r", "a", "e1", 1));
  for (std::size_t i = 3; i < rows.size(); i += 500) {
    ASSERT_TRUE(
        *log->write("r", {rows.begin() + static_cast<std::ptrdiff_t>(i),
                          rows.begin() + static_cast<std::ptrdiff_t>(std::min(i + 500, rows.size()))}));
  }
  std::map<std::string, Row> found;
  std::string cursor;
  do {
    const auto some = log->read_rows(cursor);
    ASSERT_TRUE(some.ok());
    for (const Row& row : some->rows) found[row.topic] = row;
    cursor = some->cursor;
  } while (!cursor.empty());
  ASSERT_EQ(found.size(), rows.size());
  for (const Row& row : rows) {
    const Row& same = found[row.topic];
    EXPECT_EQ(std::tie(same.n, same.seq, same.ts, same.cut), std::tie(row.n, row.seq, row.ts, row.cut));
    EXPECT_EQ(std::tie(same.status, same.delivery, same.image),
              std::tie(row.status, row.delivery, row.image));
  }
}

TEST_F(RedisLogTest, WhatBelongsTogetherAndIsThereInPartIsNoLog) {
  for (const std::string key : {"meta", "log", "img"}) {
    fill({}, {row_of("t.x", 1)});
    engine().ask({"DEL", "{tw:test}:" + key});
    EXPECT_TRUE(log->state("a")->empty) << key;
    EXPECT_EQ(append(1), Appended::kFenced) << key;
  }
  EXPECT_TRUE(*log->claim_seed("again"));
  EXPECT_TRUE(*log->open("again", {}, "e1", "c1"));
  EXPECT_TRUE(log->read_rows("")->rows.empty()) << "nothing of before is left";
}

TEST_F(RedisLogTest, AMemberThatWasNotHeardForLongIsNoneWhenAnotherOneJoins) {
  fill();
  join("a");
  join("b");
  ASSERT_TRUE(log->begin("r", "b", "e1", 1).ok());
  engine().ask({"ZINCRBY", "{tw:test}:nodes", std::to_string(-kMemberGoneMs - 1), "a"});
  join("c");
  EXPECT_FALSE(log->state("a")->is_member);
  EXPECT_TRUE(log->state("b")->is_member);
  EXPECT_EQ(append(1), Appended::kGone);
}

TEST_F(RedisLogTest, AnEngineWithoutMemoryRefusesUpdatesAndGoesOnWithTheRest) {
  fill({}, {row_of("t.x", 1)});
  join("a");
  engine().ask({"CONFIG", "SET", "maxmemory", "1"});
  const auto refused = log->append({"a", 1, "e1", "c", "records"});
  EXPECT_TRUE(log->state("a").ok()) << "over the same connection";
  EXPECT_TRUE(*log->begin("r", "a", "e1", 1));
  EXPECT_TRUE(*log->write("r", {row_of("t.x", 1)}));
  EXPECT_TRUE(*log->end("r", {1, "c1", "e1", 5}, 1));
  engine().ask({"CONFIG", "SET", "maxmemory", "0"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("OOM"), std::string::npos);
  EXPECT_EQ(append(1), Appended::kDone);
}

TEST_F(RedisLogTest, WhatAnotherVersionWroteIsLeftAlone) {
  fill();
  engine().ask({"HSET", "{tw:test}:img", "", "99"});
  const auto state = log->state("a");
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, ErrorCode::kBadConfig);
  EXPECT_EQ(state.error().field, "cluster.name");
}

TEST_F(RedisLogTest, ClustersOfOneEngineDoNotMeet) {
  fill();
  RedisLog other(engine().url(), "other", kTimeout);
  ASSERT_TRUE(other.open().ok());
  EXPECT_TRUE(other.state("a")->empty);
}

TEST_F(RedisLogTest, ScriptsThatWereForgottenAreLoadedAgain) {
  fill();
  engine().ask({"SCRIPT", "FLUSH"});
  EXPECT_FALSE(log->state("a").ok());
  EXPECT_FALSE(log->state("a").ok());
  EXPECT_TRUE(log->state("a").ok());
}

// --- an engine that will not do -------------------------------------------------------------------------

Error refusal(const RedisUrl& url) {
  RedisLog log(url, "test", kTimeout);
  const Status opened = log.open();
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? Error{} : opened.error();
}

TEST(RedisEngineTest, APolicyThatEvictsAnyKeyIsRefusedWithTheWayOut) {
  for (const std::string policy : {"allkeys-lru", "allkeys-random"}) {
    RedisProcess process({"--maxmemory-policy", policy});
    const Error error = refusal(process.url());
    EXPECT_EQ(error.code, ErrorCode::kBadConfig);
    EXPECT_NE(error.message.find(policy + "); set it to noeviction"), std::string::npos) << error.message;
  }
}

TEST(RedisEngineTest, UserAndPasswordAreNeededAndNeverSaid) {
  RedisProcess process({"--user", "plant", "on", ">right", "~*", "&*", "+@all", "--user", "default", "off"});
  RedisUrl url = process.url();
  EXPECT_EQ(refusal(url).code, ErrorCode::kBadConfig);
  url.user = "plant";
  url.password = "a-wrong-one";
  const Error error = refusal(url);
  EXPECT_EQ(error.code, ErrorCode::kBadConfig);
  EXPECT_EQ(error.message.find("a-wrong-one"), std::string::npos);
  url.password = "right";
  RedisLog log(url, "test", kTimeout);
  EXPECT_TRUE(log.open().ok());
}

TEST(RedisEngineTest, ADatabaseOfTheUrlIsUsed) {
  RedisUrl url = engine().url();
  url.database = 3;
  RedisLog log(url, "in-three", kTimeout);
  ASSERT_TRUE(log.open().ok());
  ASSERT_TRUE(*log.claim_seed("x"));
  ASSERT_TRUE(*log.open("x", {}, "e1", "c1"));
  RedisLog elsewhere(engine().url(), "in-three", kTimeout);
  ASSERT_TRUE(elsewhere.open().ok());
  EXPECT_TRUE(elsewhere.state("a")->empty);
  url.database = 99;
  EXPECT_EQ(refusal(url).code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tickwire::redis
