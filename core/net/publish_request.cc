#include "net/publish_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/work.h"
#include "net/body_lines.h"
#include "net/posted_body.h"
#include "protocol/answer.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

constexpr std::size_t kSaidBytesAStep = 1'024;  // they are copied
constexpr std::uint64_t kResultSteps = 2;

std::string result_line(const OneResult& result) {
  if (result.error) return fmt::format(R"({{"error":{}}})", error_json(*result.error));
  return fmt::format(R"({{"topic":{},"seq":{}{}}})", quote_json(result.topic), result.seq,
                     result.duplicate ? R"(,"duplicate":true)" : "");
}

// Takes the body apart, says some lines, and the next ones when those are answered, since a session may have
// only so many commands wait, and writes the answer; all of it in pieces.
class PublishPlan final : public RequestPlan {
 public:
  PublishPlan(PublishBody body, std::string text, int wait_ms)
      : body_(body), text_(std::move(text)), found_(text_, kPublishLinesMax), wait_ms_(wait_ms) {}

  void begin(RequestSession& /*session*/) override {}  // on_settled comes next
  void on_message(RequestSession& /*session*/, std::string_view payload) override {
    if (auto result = read_one_result(payload)) take(std::move(*result));
  }
  void on_settled(RequestSession& session) override {
    const Budget budget;
    const bool done = split(session, budget) && say_some(session, budget) && write_some(budget);
    if (session.answered()) return;
    if (!done) return session.look_again();
    if (written_ == lines_.size()) finish(session);
  }
  [[nodiscard]] int wait_ms() const override { return wait_ms_; }
  void on_due(RequestSession& session) override {
    OneResult late;
    late.error = Error{ErrorCode::kUnavailable, "was not answered in time; it may have been published", ""};
    if (!split_ || body_ == PublishBody::kJson) return session.refuse(*late.error);
    const std::string line = result_line(late);
    for (; written_ < lines_.size(); ++written_) {
      written_text_ += results_[written_] ? result_line(*results_[written_]) : line;
      written_text_ += '\n';
    }
    finish(session);
  }

 private:
  // Each of these does what is to be done now. False: the budget is spent.
  bool split(RequestSession& session, const Budget& budget) {
    if (split_) return true;
    if (body_ == PublishBody::kJson) {
      lines_.push_back(without_blanks(text_));
    } else {
      if (!found_.run(budget)) return false;
      lines_ = found_.lines();
      if (lines_.empty()) session.refuse({ErrorCode::kBadMessage, "the body has no lines", ""});
      if (found_.too_many()) refuse_lines(session);
    }
    results_.resize(lines_.size());
    split_ = true;
    return true;
  }
  static void refuse_lines(RequestSession& session) {
    session.refuse({ErrorCode::kTooLarge,
                    fmt::format("more than {} lines, which are the most of one request", kPublishLinesMax),
                    "", Limit::kPublishLines});
  }
  bool say_some(RequestSession& session, const Budget& budget) {
    const std::size_t most = std::max<std::size_t>(session.shard().config().session.commands_pending_max, 1);
    while (session.reads() && !session.answered() && said_ < lines_.size() && said_ - answered_ < most) {
      if (budget.spent()) return false;
      const std::uint64_t id = ++said_;
      const std::string command = publish_command(lines_[id - 1], id);
      Work::count(1 + command.size() / kSaidBytesAStep);
      if (command.empty()) {
        OneResult wrong;
        wrong.id = id;
        wrong.error = Error{ErrorCode::kBadMessage, "message: must be an object with topic and data", ""};
        take(std::move(wrong));
      } else {
        session.say(command);
      }
    }
    return true;
  }
  bool write_some(const Budget& budget) {
    for (; written_ < results_.size() && results_[written_]; ++written_) {
      if (budget.spent()) return false;
      Work::count(kResultSteps);
      written_text_ += result_line(*results_[written_]) + "\n";
    }
    return true;
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
    response.head = std::move(written_text_);
    session.answer(std::move(response));
  }

  const PublishBody body_;
  const std::string text_;
  BodyLines found_;  // in text_
  const int wait_ms_;
  bool split_ = false;
  std::vector<std::string_view> lines_;
  std::vector<std::optional<OneResult>> results_;  // by line
  std::size_t said_ = 0;
  std::size_t answered_ = 0;
  std::size_t answered_to_ = 0;  // the lines before it are answered
  std::string written_text_;     // of the answer
  std::size_t written_ = 0;      // so many results
};

}  // namespace

PublishRequest check_publish(const RequestHead& head, std::size_t body_bytes_max) {
  if (head.method == "OPTIONS") return {.refusal = preflight("POST")};
  static constexpr std::array<std::string_view, 2> kTypes{"application/json", "application/x-ndjson"};
  Posted posted = check_posted(head, {"POST, OPTIONS", kTypes, body_bytes_max, Limit::kMessageBytes});
  return {posted.type == 0 ? PublishBody::kJson : PublishBody::kLines, std::move(posted.refusal)};
}

std::unique_ptr<RequestPlan> publish_plan(PublishBody body, std::string text, int wait_ms) {
  return std::make_unique<PublishPlan>(body, std::move(text), wait_ms);
}

// Our fields stand first, where they are found in what is no JSON, and last, where they count in what is.
std::string publish_command(std::string_view line, std::uint64_t id) {
  if (line.size() < 2 || line.front() != '{' || line.back() != '}') return {};
  const std::string_view inner = without_blanks(line.substr(1, line.size() - 2));
  const std::string ours = fmt::format(R"("type":"publish","id":{})", id);
  std::string command;
  command.reserve(line.size() + 2 * ours.size() + 2);
  command.append("{").append(ours);
  if (!inner.empty()) command.append(",").append(inner).append(",").append(ours);
  return command += '}';
}

}  // namespace tickwire
