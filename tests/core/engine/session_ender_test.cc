#include "engine/session_ender.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/audit_log.h"
#include "engine/logging.h"
#include "fakes/fake_offload.h"
#include "fanout/plant.h"

namespace tickwire {
namespace {

using nlohmann::json;

constexpr std::int64_t kLifeMs = 60'000;
const AdminActor kAdmin{"admin socket", "uid 0, pid 1"};

struct TwoLoops {
  TwoLoops() { offload.at_once = true; }

  void end(const SessionTarget& target, SessionEnd how, const SessionEnder::Shards& shards) {
    answer.reset();
    ender.end(target, how, kAdmin, shards, [this](Result<std::string> told) {
      EXPECT_FALSE(answer) << "told twice";
      answer = std::move(told);
    });
  }
  void revoke(const SessionTarget& target) {
    end(target, SessionEnd::kRevoked, {.turning = {&first.shard, &second.shard}, .standing = {}});
  }
  [[nodiscard]] json told() const { return json::parse(answer->value()); }
  static ClientInfo named(const std::string& subject) {
    ClientInfo info;
    info.subject = subject;
    return info;
  }

  FakeOffload offload;
  Plant first;
  Plant second;
  Revocations revocations{kLifeMs};
  SessionEnder ender{SessionEnder::Parts{first.clock, revocations, offload, nullptr}};
  std::optional<Result<std::string>> answer;
};

TEST(SessionEnder, TellsWhenTheSessionsOfEveryLoopHaveEnded) {
  TwoLoops loops;
  Client a(loops.first, TwoLoops::named("mia")), b(loops.second, TwoLoops::named("mia"));
  Client c(loops.second, TwoLoops::named("paul"));
  loops.revoke({.subject = "mia", .session = {}});
  EXPECT_TRUE(loops.revocations.refuses("mia", std::nullopt, loops.first.clock.wall_ms()))
      << "before any session has ended";
  loops.second.run();
  EXPECT_FALSE(loops.answer);
  loops.first.run();
  ASSERT_TRUE(loops.answer);
  EXPECT_EQ(loops.told(), (json{{"subject", "mia"},
                                {"sessions", 2},
                                {"until", loops.first.clock.wall_ms() + kLifeMs},
                                {"kept_in", "memory"}}));
  EXPECT_EQ(a.socket.close_code, 4502);
  EXPECT_EQ(b.socket.close_code, 4502);
  EXPECT_EQ(c.socket.close_code, 0);
}

TEST(SessionEnder, ASessionIsNoSubject) {
  TwoLoops loops;
  Client a(loops.first, TwoLoops::named("mia"));
  loops.end({.subject = {}, .session = a.session->client.session}, SessionEnd::kRevoked,
            {.turning = {&loops.first.shard}, .standing = {}});
  loops.first.run();
  EXPECT_EQ(loops.told(), (json{{"session", "0-1"}, {"sessions", 1}}));
  EXPECT_EQ(loops.revocations.size(), 0U);
}

TEST(SessionEnder, WhoIsDisconnectedMayComeBackWithItsToken) {
  TwoLoops loops;
  Client a(loops.first, TwoLoops::named("mia")), b(loops.second, TwoLoops::named("paul"));
  loops.end({.subject = "mia", .session = {}}, SessionEnd::kDisconnected,
            {.turning = {&loops.first.shard, &loops.second.shard}, .standing = {}});
  loops.first.run();
  loops.second.run();
  ASSERT_TRUE(loops.answer);
  EXPECT_EQ(loops.told(), (json{{"subject", "mia"}, {"sessions", 1}}));
  EXPECT_EQ(a.socket.close_code, 4001);
  EXPECT_EQ(b.socket.close_code, 0);
  EXPECT_EQ(loops.revocations.size(), 0U);
}

TEST(SessionEnder, DoesNotWaitForALoopThatStandsStill) {
  TwoLoops loops;
  Client a(loops.first, TwoLoops::named("mia")), b(loops.second, TwoLoops::named("mia"));
  loops.end({.subject = "mia", .session = {}}, SessionEnd::kRevoked,
            {.turning = {&loops.first.shard}, .standing = {&loops.second.shard}});
  loops.first.run();
  ASSERT_TRUE(loops.answer);
  EXPECT_EQ(loops.told()["sessions"], 1);
  loops.second.run();
  EXPECT_EQ(b.socket.close_code, 4502) << "when it turns again";
}

TEST(SessionEnder, AShardThatHasStoppedHoldsNobodyUp) {
  TwoLoops loops;
  loops.second.shard.stop();
  loops.revoke({.subject = "mia", .session = {}});
  loops.first.run();
  ASSERT_TRUE(loops.answer);
  EXPECT_EQ(loops.told()["sessions"], 0);
}

TEST(SessionEnder, SaysWhatIsWrongWithWhoIsNamed) {
  TwoLoops loops;
  for (const SessionTarget& target :
       {SessionTarget{}, SessionTarget{"a", "b"}, SessionTarget{std::string(kTokenBytesMax + 1, 'a'), ""},
        SessionTarget{"", std::string(kTokenBytesMax + 1, 'a')}}) {
    loops.revoke(target);
    ASSERT_TRUE(loops.answer && !*loops.answer);
    EXPECT_EQ(loops.answer->error().code, ErrorCode::kBadMessage);
    EXPECT_FALSE(loops.answer->error().field.empty());
  }
  loops.revoke({std::string(kTokenBytesMax, 'a'), ""});
  loops.first.run();
  loops.second.run();
  EXPECT_TRUE(loops.answer->ok());
  for (std::size_t i = loops.revocations.size(); i < kRevocationsMax; ++i) {
    ASSERT_TRUE(loops.revocations.add({std::to_string(i), loops.first.clock.wall_ms()}, 0));
  }
  loops.revoke({.subject = "mia", .session = {}});
  ASSERT_TRUE(loops.answer && !*loops.answer);
  EXPECT_EQ(loops.answer->error().code, ErrorCode::kTooMany);
}

TEST(AuditLog, IsWrittenWhateverTheLevelIs) {
  set_up_logging(LogLevel::kError);
  testing::internal::CaptureStderr();
  audit(kAdmin, R"(revoke subject="m\u001b" sessions=1)");
  const std::string line = testing::internal::GetCapturedStderr();
  set_up_logging(LogLevel::kInfo);
  EXPECT_NE(
      line.find(R"(info audit: who="admin socket" from="uid 0, pid 1" revoke subject="m\u001b" sessions=1)"),
      std::string::npos)
      << line;
}

}  // namespace
}  // namespace tickwire
