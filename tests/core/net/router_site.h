// An HttpRouter with a hub behind it, whose answers are put together at once.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/work.h"
#include "fakes/fake_access.h"
#include "fakes/fake_clock.h"
#include "net/http_router.h"

namespace tickwire {

class GivenHealth final : public HttpSource {
 public:
  [[nodiscard]] HealthAnswer health(HealthDetail /*detail*/) const override {
    return {well, R"({"status":"ok"})"};
  }
  [[nodiscard]] TextInPieces metrics() const override {
    return [](const Budget&) { return std::optional<std::string>("tickwire_sessions 1\n"); };
  }
  [[nodiscard]] bool serves() const override { return serving; }
  [[nodiscard]] std::string halts() const override { return "{}"; }
  void list_sessions(const SessionsQuery& /*query*/, std::function<void(std::string)> /*done*/) override {}
  void act(const AdminAction& /*action*/, const AdminActor& /*by*/, AdminDone /*done*/) override {}

  bool well = true;
  bool serving = true;
};

struct RouterSite {
  RouterSite() : hub(clock, {}), router({hub, access, health, files}) { hub.set_epoch("e1"); }

  HttpResponse get(const std::string& path, std::vector<std::pair<std::string, std::string>> query = {}) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    return answer(request);
  }
  [[nodiscard]] HttpResponse answer(const HttpRequest& request, bool draining = false) const {
    HttpRouter::Answer answer = router.answer(request, draining);
    if (auto* const response = std::get_if<HttpResponse>(&answer)) return std::move(*response);
    if (auto* const wait = std::get_if<WaitRequest>(&answer)) return wait->answer();
    const auto& read = std::get<ReadRequest>(answer);
    ReadRequest::Answer decided = read.then(decisions(read.topics));
    if (auto* const response = std::get_if<HttpResponse>(&decided)) return std::move(*response);
    const auto pieces = std::get<AnswerInPieces>(std::move(decided));
    while (true) {
      const std::uint64_t before = Work::done();
      std::optional<HttpResponse> response = pieces(Budget());
      EXPECT_LT(Work::done() - before, 2 * kPieceSteps) << "a piece";
      if (response) return std::move(*response);
      ++pieces_made;
    }
  }
  // What a session would decide: guards allow what `guards_allow` says.
  [[nodiscard]] Admission::Decisions decisions(const std::vector<std::string>& topics) const {
    Admission::Decisions decided;
    for (const std::string& topic : topics) {
      const Verdict verdict = access.check(Action::kSubscribe, topic);
      const bool allowed = verdict == Verdict::kAllow || (verdict == Verdict::kAsk && guards_allow);
      Grant grant;
      grant.guarded = verdict == Verdict::kAsk;
      decided.push_back(allowed ? Result<Grant>(grant)
                                : Result<Grant>(Error{ErrorCode::kDenied, topic + ": not allowed", ""}));
    }
    return decided;
  }
  static std::string body(const HttpResponse& response) {
    return response.head + std::string(response.shared) + response.tail;
  }
  void publish(const std::string& topic, const std::string& data) {
    ASSERT_TRUE(hub.publish(topic, data).ok());
  }

  bool guards_allow = false;
  mutable int pieces_made = 0;  // before the last one
  FakeClock clock;
  FakeAccess access;
  GivenHealth health;
  Hub hub;
  const std::vector<StaticFile> files{{"app.js", "let a", "t1"}, {"index.html", "<p>", "t2"}};
  HttpRouter router;
};

inline std::string error_code(const HttpResponse& response) {
  return nlohmann::json::parse(RouterSite::body(response)).at("error").at("code").get<std::string>();
}

}  // namespace tickwire
