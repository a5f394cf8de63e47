#include "net/read_plans.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/answer.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

class ReadPlan final : public RequestPlan {
 public:
  explicit ReadPlan(ReadRequest request) : request_(std::move(request)) {}

  void begin(RequestSession& session) override {
    const auto decided = [this, &session](Session& /*asker*/, const Admission::Outcome& outcome) {
      for (const Result<Grant>& decision : outcome.decisions) {
        if (!decision) session.shard().counters().count(decision.error().code);
      }
      std::visit([&session](auto answer) { session.answer(std::move(answer)); },
                 request_.then(outcome.decisions));
    };
    session.shard().read(session.session(), request_.lists, request_.topics, decided);
  }
  void on_message(RequestSession& session, std::string_view payload) override {
    if (const auto refused = read_error(payload)) session.refuse(*refused);
  }
  void on_due(RequestSession& session) override {
    session.refuse({ErrorCode::kUnavailable, "the answer was not ready in time", ""});
  }

 private:
  const ReadRequest request_;
};

// A subscription, which makes the topic wanted. Its first message tells that there is something to read.
class WaitPlan final : public RequestPlan {
 public:
  explicit WaitPlan(WaitRequest request) : request_(std::move(request)) {}

  void begin(RequestSession& session) override {
    session.say(
        fmt::format(R"({{"type":"subscribe","topics":[{}],"snapshot":false}})", quote_json(request_.topic)));
  }
  void on_message(RequestSession& session, std::string_view payload) override {
    const std::string_view type = message_type(payload);
    if (const auto result = read_one_result(payload)) {
      if (result->error) return session.refuse(*result->error);
      allowed_ = true;
      if (result->seq > 0) session.answer(request_.answer());
    } else if (type == "update" || type == "snapshot") {
      session.answer(request_.answer());
    }
  }
  [[nodiscard]] int wait_ms() const override { return request_.wait_ms; }
  void on_due(RequestSession& session) override {
    if (allowed_) return session.answer(request_.answer());
    session.refuse({ErrorCode::kUnavailable, "nobody could say in time whether it is allowed", ""});
  }

 private:
  const WaitRequest request_;
  bool allowed_ = false;
};

}  // namespace

std::unique_ptr<RequestPlan> plan_for(ReadRequest request) {
  return std::make_unique<ReadPlan>(std::move(request));
}

std::unique_ptr<RequestPlan> plan_for(WaitRequest request) {
  return std::make_unique<WaitPlan>(std::move(request));
}

}  // namespace tickwire
