#include "net/subscribe_request.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "model/json_object.h"
#include "net/http_reads.h"
#include "protocol/answer.h"
#include "protocol/command.h"
#include "protocol/cursor.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

HttpResponse bad_parameter(std::string_view field, std::string_view problem) {
  return error_response({ErrorCode::kBadMessage, fmt::format("{}: {}", field, problem), std::string(field)});
}

std::string quoted_list(const std::vector<std::string>& topics) {
  std::string list;
  for (const std::string& topic : topics) list += (list.empty() ? "" : ",") + quote_json(topic);
  return list;
}

// The command checks their ranges; what is no number at all could not stand in its text.
std::optional<HttpResponse> add_number(const RequestHead& head, std::string_view name, std::string& command) {
  const std::string text = head.parameter(name);
  if (text.empty()) return std::nullopt;
  if (text.size() > 40 || !is_json_number(text)) return bad_parameter(name, "must be a number");
  command += fmt::format(R"(,"{}":{})", name, text);
  return std::nullopt;
}

class PollPlan final : public RequestPlan {
 public:
  explicit PollPlan(SubscribeRequest request) : request_(std::move(request)) {
    if (auto cursor = parse_cursor(request_.cursor)) known_ = std::move(cursor->topics);
  }

  void begin(RequestSession& session) override { session.say(request_.command); }
  void on_message(RequestSession& session, std::string_view payload) override {
    const std::string_view type = message_type(payload);
    if (results_.empty()) {
      if (const auto refused = read_error(payload)) return session.refuse(*refused);
      if (type == "ack") results_ = payload.substr(kAckHead.size(), payload.size() - kAckHead.size() - 1);
    } else if (const auto error = type == "error" ? read_error(payload) : std::nullopt;
               error && error->code == ErrorCode::kUnavailable) {
      // The new cursor would have no place of that topic; with the one that it has, the client misses
      // nothing.
      session.refuse(*error);
    } else if (type != "heartbeat" && !(type == "status" && is_known(payload))) {
      if (!messages_.empty()) messages_ += ',';
      messages_.append(payload);
    }
  }
  void on_settled(RequestSession& session) override {
    if (results_.empty() || session.session().working) return;
    const bool can_come = session.session().subscription_count() > 0;
    const bool waits = messages_.empty() && request_.wait_ms > 0 && can_come;
    // Whole, whatever its length: what a cursor has no room for would else begin with the same topics again.
    const bool owed = !session.session().behind().empty();
    if (!waits && !owed) finish(session);
  }
  [[nodiscard]] int wait_ms() const override { return request_.wait_ms; }
  void on_due(RequestSession& session) override {
    if (results_.empty())
      return session.refuse({ErrorCode::kUnavailable, "nobody could say in time whether it is allowed", ""});
    finish(session);
  }

 private:
  static constexpr std::string_view kAckHead = R"({"type":"ack",)";

  // A topic that goes on is followed by its status, which says nothing new where it is that of the cursor.
  [[nodiscard]] bool is_known(std::string_view payload) const {
    const auto told = read_status(payload);
    const auto seen = told ? known_.find(told->topic) : known_.end();
    return seen != known_.end() && seen->second.seq == told->seq && seen->second.status == told->status;
  }
  void finish(RequestSession& session) {
    const std::string cursor = session.shard().cursor(session.session());
    HttpResponse response;
    response.headers = "Cache-Control: private, no-store\r\n";
    response.head = fmt::format(R"({{{},"messages":[)", results_);
    const auto messages = std::make_shared<const std::string>(std::move(messages_));
    response.shared = *messages;
    response.owner = messages;
    response.tail = fmt::format(R"(],"cursor":{}}})", cursor.empty() ? "null" : quote_json(cursor));
    session.answer(std::move(response));
  }

  const SubscribeRequest request_;
  decltype(Cursor::topics) known_;
  std::string results_;   // the field of the ack
  std::string messages_;  // joined with commas
};

}  // namespace

std::variant<SubscribeRequest, HttpResponse> subscribe_request(const RequestHead& head) {
  if (head.method != "GET") {
    return error_response(405, {ErrorCode::kUnknownCommand, "only GET is answered here", ""}, "GET");
  }
  if (head.has_body) return error_response({ErrorCode::kBadMessage, "a body is not accepted here", ""});
  const std::string topics = quoted_list(split_topics(head.parameter("topics")));
  if (topics.empty()) return bad_parameter("topics", "is required, topics and patterns joined by commas");
  SubscribeRequest request;
  request.cursor = head.header("last-event-id");
  if (request.cursor.empty()) request.cursor = head.parameter("cursor");
  request.command = fmt::format(R"({{"type":"subscribe","topics":[{}])", topics);
  for (const std::string_view name : {"max_rate", "last"}) {
    if (auto wrong = add_number(head, name, request.command)) return std::move(*wrong);
  }
  if (!request.cursor.empty()) request.command += fmt::format(R"(,"cursor":{})", quote_json(request.cursor));
  request.command += '}';
  std::string id;
  if (const auto command = parse_command(request.command, id, Format::kJson); !command)
    return error_response(command.error());
  const std::string wait = head.parameter("wait");
  const auto wait_ms = wait.empty() ? Result<int>(kPollWaitSeconds * 1'000) : parse_wait(wait);
  if (!wait_ms) return error_response(wait_ms.error());
  request.wait_ms = *wait_ms;
  return request;
}

std::unique_ptr<RequestPlan> poll_plan(SubscribeRequest request) {
  return std::make_unique<PollPlan>(std::move(request));
}

}  // namespace tickwire
