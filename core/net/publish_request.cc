#include "net/publish_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "net/posted_body.h"
#include "protocol/answer.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr int kPublishMsMax = 30'000;

std::string_view without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

HttpResponse preflight() {
  HttpResponse response;
  response.status = 204;
  response.headers =
      "Access-Control-Allow-Methods: POST\r\n"
      "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
      "Access-Control-Max-Age: 600\r\n";
  return response;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!without_spaces(line).empty()) lines.push_back(without_spaces(line));
  }
  return lines;
}

std::string result_line(const OneResult& result) {
  if (result.error) return fmt::format(R"({{"error":{}}})", error_json(*result.error));
  return fmt::format(R"({{"topic":{},"seq":{}}})", quote_json(result.topic), result.seq);
}

// Says some lines, and the next ones when those are answered: a session may have only so many commands wait.
class PublishPlan final : public RequestPlan {
 public:
  PublishPlan(PublishBody body, std::string text) : body_(body), text_(std::move(text)) {
    if (body == PublishBody::kLines) {
      lines_ = lines_of(text_);
    } else {
      lines_.push_back(without_spaces(text_));
    }
  }

  void begin(RequestSession& session) override {
    if (lines_.empty()) return session.refuse({ErrorCode::kBadMessage, "the body has no lines", ""});
    if (lines_.size() > kPublishLinesMax) {
      return session.refuse(
          {ErrorCode::kTooLarge,
           fmt::format("{} lines, at most {} are allowed in one request", lines_.size(), kPublishLinesMax),
           "", Limit::kPublishLines});
    }
    results_.resize(lines_.size());
    say_some(session);
  }
  void on_message(RequestSession& session, std::string_view payload) override {
    if (auto result = read_one_result(payload)) take(std::move(*result));
    say_some(session);
  }
  void on_reading(RequestSession& session) override { say_some(session); }
  [[nodiscard]] int wait_ms() const override { return kPublishMsMax; }
  void on_due(RequestSession& session) override {
    OneResult late;
    late.error = Error{ErrorCode::kUnavailable, "was not answered in time; it may have been published", ""};
    for (std::optional<OneResult>& result : results_) {
      if (!result) result = late;
    }
    finish(session);
  }

 private:
  void say_some(RequestSession& session) {
    const std::size_t most = std::max<std::size_t>(session.shard().config().session.commands_pending_max, 1);
    while (session.reads() && said_ < lines_.size() && said_ - answered_ < most) {
      const std::uint64_t id = ++said_;
      const std::string command = publish_command(lines_[id - 1], id);
      if (command.empty()) {
        OneResult wrong;
        wrong.id = id;
        wrong.error = Error{ErrorCode::kBadMessage, "message: must be an object with topic and data", ""};
        take(std::move(wrong));
      } else {
        session.say(command);
      }
    }
    if (answered_ == lines_.size()) finish(session);
  }
  // An answer without an id is that to a line that could not be read: the first that has none yet.
  void take(OneResult result) {
    std::size_t line = result.id - 1;
    if (line >= said_ || results_[line]) {
      while (answered_to_ < said_ && results_[answered_to_]) ++answered_to_;
      line = answered_to_;
      if (line >= said_) return;
    }
    results_[line] = std::move(result);
    ++answered_;
  }
  void finish(RequestSession& session) {
    HttpResponse response = json_response();
    response.headers = "Cache-Control: private, no-store\r\n";
    if (body_ == PublishBody::kJson) {
      if (results_.front()->error) return session.refuse(*results_.front()->error);
      response.head = result_line(*results_.front());
      return session.answer(std::move(response));
    }
    response.content_type = "application/x-ndjson";
    for (const std::optional<OneResult>& result : results_) response.head += result_line(*result) + "\n";
    session.answer(std::move(response));
  }

  const PublishBody body_;
  const std::string text_;
  std::vector<std::string_view> lines_;
  std::vector<std::optional<OneResult>> results_;  // by line
  std::size_t said_ = 0;
  std::size_t answered_ = 0;
  std::size_t answered_to_ = 0;  // the lines before it are answered
};

}  // namespace

PublishRequest check_publish(const RequestHead& head, std::size_t body_bytes_max) {
  if (head.method == "OPTIONS") return {.refusal = preflight()};
  static constexpr std::array<std::string_view, 2> kTypes{"application/json", "application/x-ndjson"};
  Posted posted = check_posted(head, {"POST, OPTIONS", kTypes, body_bytes_max, Limit::kMessageBytes});
  return {posted.type == 0 ? PublishBody::kJson : PublishBody::kLines, std::move(posted.refusal)};
}

std::unique_ptr<RequestPlan> publish_plan(PublishBody body, std::string text) {
  return std::make_unique<PublishPlan>(body, std::move(text));
}

// Our fields stand first, where they are found in what is no JSON, and last, where they count in what is.
std::string publish_command(std::string_view line, std::uint64_t id) {
  if (line.size() < 2 || line.front() != '{' || line.back() != '}') return {};
  const std::string_view inner = without_spaces(line.substr(1, line.size() - 2));
  const std::string ours = fmt::format(R"("type":"publish","id":{})", id);
  std::string command;
  command.reserve(line.size() + 2 * ours.size() + 2);
  command.append("{").append(ours);
  if (!inner.empty()) command.append(",").append(inner).append(",").append(ours);
  return command += '}';
}

}  // namespace tickwire
