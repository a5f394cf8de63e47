// A loop that is asked over HTTP, and whose authorizers the test plays.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "live_loop.h"

namespace tickwire {

inline constexpr const char* kOneOfMany = "127.0.0.9";  // an address that limits count

// FakeAccess is asked and answered on two threads here.
class AskedAccess final : public Access {
 public:
  [[nodiscard]] Verdict check(Action action, std::string_view topic) const override {
    if (action == Action::kAuthenticate) return authenticator ? Verdict::kAsk : Verdict::kDeny;
    return topic.starts_with("guarded.") ? Verdict::kAsk : Verdict::kAllow;
  }
  Status ask(AccessQuestion question) override {
    const std::lock_guard lock(mutex_);
    questions_.push_back(std::move(question));
    return ok_status();
  }
  void close(std::uint64_t /*id*/) override {}
  [[nodiscard]] const PatternSetPtr& open_part() const override { return all_; }
  std::optional<AccessQuestion> take() {
    const std::lock_guard lock(mutex_);
    if (questions_.empty()) return std::nullopt;
    AccessQuestion first = std::move(questions_.front());
    questions_.pop_front();
    return first;
  }
  std::atomic<bool> authenticator = false;

 private:
  const PatternSetPtr all_ = std::make_shared<const PatternSet>(std::vector{Pattern::parse(">").value()});
  std::mutex mutex_;
  std::deque<AccessQuestion> questions_;
};

struct RequestSessions : testing::Test {
  explicit RequestSessions(const ShardConfig& shard = {}, const Clock* given = nullptr,
                           const NetConfig& net = RequestSessions::net())
      : clock(given == nullptr ? real : *given),
        hub(clock, {}),
        loop(hub, clock, access, shard, net, source) {
    hub.set_epoch("e1");
    EXPECT_TRUE(loop.open().ok());
    loop.start();
  }
  static NetConfig net() {
    NetConfig config;
    config.listen.front().port = 0;
    config.origins = {"https://ours"};
    return config;
  }
  RawClient connect(const char* from = nullptr) { return RawClient(loop.port(), 0, from); }
  HttpReply get(const std::string& path, const std::string& more = "", const char* from = nullptr) {
    RawClient client = connect(from);
    client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n");
    return client.reply();
  }
  HttpReply post(const std::string& body, const std::string& more = "Content-Type: application/json\r\n",
                 const std::string& method = "POST") {
    RawClient client = connect();
    client.send(method + " /v1/publish HTTP/1.1\r\nHost: localhost\r\n" + more +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.reply();
  }
  AccessQuestion question() {
    std::optional<AccessQuestion> asked;
    EXPECT_TRUE(eventually([&] { return (asked = access.take()).has_value(); }));
    return asked.value_or(AccessQuestion{});
  }
  void answer(const AccessQuestion& asked, Ruling ruling, std::string text = "") {
    loop.shard().answer({.id = asked.id, .ruling = ruling, .text = std::move(text)});
  }
  std::uint64_t limited(Limit limit) {
    return loop.shard().counters().limited.get(static_cast<std::size_t>(limit));
  }
  bool sessions_are(std::uint64_t count) {
    return eventually([&] { return loop.shard().counters().sessions.get() == count; });
  }

  const RealClock real;
  const Clock& clock;
  AskedAccess access;
  FixedSource source;
  Hub hub;
  Loop loop;
};

}  // namespace tickwire
