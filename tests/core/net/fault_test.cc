#include "base/fault.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "fanout/shard.h"
#include "live_loop.h"
#include "raw_client.h"

namespace tickwire {
namespace {

// Throws where a test says so.
class ThrowingAccess final : public Access {
 public:
  [[nodiscard]] Verdict check(Action /*action*/, std::string_view topic) const override {
    if (topic.starts_with("fault.")) throw std::runtime_error("injected");
    return Verdict::kAllow;
  }
  Status ask(AccessQuestion /*question*/) override { return ok_status(); }
  void close(std::uint64_t /*id*/) override {}
  [[nodiscard]] const PatternSetPtr& open_part() const override { return all_; }

 private:
  const PatternSetPtr all_ = std::make_shared<const PatternSet>(std::vector{Pattern::parse(">").value()});
};

class ThrowingSource final : public HttpSource {
 public:
  [[nodiscard]] HealthAnswer health(HealthDetail /*detail*/) const override {
    throw std::runtime_error("injected");
  }
  [[nodiscard]] bool serves() const override { return true; }
  [[nodiscard]] TextInPieces metrics() const override { return {}; }
  [[nodiscard]] std::string halts() const override { return "{}"; }
  void list_sessions(const SessionsQuery& /*query*/, std::function<void(std::string)> /*done*/) override {}
  void act(const AdminAction& /*action*/, const AdminActor& /*by*/, AdminDone /*done*/) override {}
};

// The clock of the loop alone: the hub has another one.
class ThrowingClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override {
    if (armed.exchange(false)) throw std::runtime_error("injected");
    return real_.wall_ms();
  }
  [[nodiscard]] std::int64_t steady_us() const override { return real_.steady_us(); }
  mutable std::atomic<bool> armed = false;

 private:
  RealClock real_;
};

class FaultyLoop : public ::testing::Test {
 protected:
  FaultyLoop() {
    EXPECT_TRUE(loop_.open());
    loop_.start();
  }
  RawClient connect() {
    RawClient client(loop_.port());
    EXPECT_EQ(client.upgrade(), 101);
    EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
    return client;
  }
  static std::string ask(RawClient& client, std::string_view message) {
    client.send_text(message);
    return client.read_text();
  }
  bool serves() {
    RawClient client = connect();
    return ask(client, R"({"type":"ping"})").find("pong") != std::string::npos;
  }
  static NetConfig free_port() {
    NetConfig net;
    net.listen.front().port = 0;
    return net;
  }

  RealClock hub_clock_;
  ThrowingClock clock_;
  ThrowingAccess access_;
  ThrowingSource source_;
  Hub hub_{hub_clock_, {}};
  Loop loop_{hub_, clock_, access_, ShardConfig{}, free_port(), source_};
};

TEST(Fault, IsCountedAndLoggedWithWhatWasDone) {
  static std::string logged;
  set_fault_log([](Boundary /*boundary*/, std::string_view doing, std::string_view what) {
    logged = std::string(doing) + ": " + std::string(what);
  });
  const std::uint64_t before = fault_count(Boundary::kReload);
  EXPECT_FALSE(contained(Boundary::kReload, "a test", [] { throw std::runtime_error("injected"); }));
  EXPECT_EQ(logged, "a test: injected");
  EXPECT_FALSE(contained(Boundary::kReload, "a test", [] { throw 1; }));
  EXPECT_TRUE(contained(Boundary::kReload, "a test", [] {}));
  EXPECT_EQ(fault_count(Boundary::kReload), before + 2);
  for (int i = 0; i < 100; ++i) note_fault(Boundary::kReload, "a test", "many");
  EXPECT_EQ(fault_count(Boundary::kReload), before + 102) << "also those that are not logged";
}

TEST_F(FaultyLoop, AFaultInAnEventOfAWebSocketEndsThatConnectionAndNoOther) {
  RawClient bystander = connect();
  RawClient client = connect();
  const std::uint64_t before = fault_count(Boundary::kWebsocket);
  client.send_text(R"({"type":"subscribe","topics":["fault.a"]})");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(fault_count(Boundary::kWebsocket), before + 1);
  EXPECT_TRUE(eventually([&] { return loop_.shard().stats().sessions == 1; }));
  EXPECT_NE(ask(bystander, R"({"type":"ping"})").find("pong"), std::string::npos);
}

TEST_F(FaultyLoop, AFaultInAnHttpAnswerEndsThatRequestAndNoOther) {
  RawClient bystander = connect();
  const std::uint64_t before = fault_count(Boundary::kSocket);
  RawClient client(loop_.port());
  EXPECT_EQ(client.get("/health").status, 0) << "closed without an answer";
  EXPECT_EQ(fault_count(Boundary::kSocket), before + 1);
  EXPECT_EQ(RawClient(loop_.port()).get("/ready").status, 200);
  EXPECT_NE(ask(bystander, R"({"type":"ping"})").find("pong"), std::string::npos);
}

TEST_F(FaultyLoop, AFaultInAPostedCallKeepsNoOtherFromRunning) {
  std::atomic<bool> ran = false;
  const std::uint64_t before = fault_count(Boundary::kLoop);
  loop_.shard().post([] { throw std::runtime_error("injected"); });
  loop_.shard().post([&ran] { ran = true; });
  EXPECT_TRUE(eventually([&] { return ran.load(); }));
  EXPECT_EQ(fault_count(Boundary::kLoop), before + 1);
  EXPECT_TRUE(serves());
}

TEST_F(FaultyLoop, AFaultInATurnClosesTheSessionsThatItLeftInDoubtAndTheNextOnesMissNothing) {
  RawClient client = connect();
  EXPECT_NE(ask(client, R"({"type":"subscribe","topics":["a.b"]})").find("ack"), std::string::npos);
  const std::uint64_t before = fault_count(Boundary::kLoop);
  clock_.armed = true;
  ASSERT_TRUE(hub_.publish("a.b", R"({"n":1})"));
  EXPECT_EQ(client.read_close_code(), 1001);
  EXPECT_EQ(fault_count(Boundary::kLoop), before + 1);
  RawClient again = connect();
  EXPECT_NE(ask(again, R"({"type":"subscribe","topics":["a.b"]})").find(R"("seq":1)"), std::string::npos);
  EXPECT_NE(again.read_text().find(R"("n":1)"), std::string::npos);
  ASSERT_TRUE(hub_.publish("a.b", R"({"n":2})"));
  EXPECT_NE(again.read_text().find(R"("n":2)"), std::string::npos);
}

}  // namespace
}  // namespace tickwire
