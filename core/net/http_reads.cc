#include "net/http_reads.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <utility>

#include "fanout/snapshot_page.h"
#include "fanout/topic_page.h"
#include "net/header_text.h"
#include "net/http_history.h"
#include "protocol/command.h"
#include "protocol/encode.h"

namespace tickwire {
namespace {

constexpr std::string_view kTopicsPath = "/v1/topics";
constexpr std::string_view kSnapshotPath = "/v1/snapshot";
constexpr std::string_view kHistoryPrefix = "/v1/history/";
constexpr std::uint64_t kTopicSteps = 2;  // to write one

// Nobody was asked, so everybody may read what was allowed.
bool is_unguarded(const Admission::Decisions& decisions) {
  return std::ranges::all_of(decisions, [](const auto& decision) { return decision && !decision->guarded; });
}

HttpResponse cached_response(bool is_public) {
  HttpResponse response;
  response.headers = is_public ? "Cache-Control: public, max-age=1\r\nVary: Origin\r\n"
                               : "Cache-Control: private, no-store\r\n";
  return response;
}

HttpResponse text_response(std::string text, bool is_public) {
  HttpResponse response = cached_response(is_public);
  response.head = std::move(text);
  return response;
}

HttpResponse unknown_topic(std::string_view topic) {
  return error_response(
      {ErrorCode::kUnknownTopic, fmt::format("{}: nothing was published to it", topic), ""});
}

// The answer of /v1/topics, in pieces: first its page is found, then it is written.
struct TopicsAnswer {
  TopicPage page;
  bool found = false;
  std::size_t written = 0;  // topics
  std::string body = R"({"topics":[)";

  bool run(const Budget& budget) {
    found = found || page.run(budget);
    if (!found) return false;
    for (; written < page.topics().size(); ++written) {
      if (budget.spent()) return false;
      const Update& update = *page.topics()[written];
      fmt::format_to(std::back_inserter(body), R"({}{{"topic":"{}","seq":{},"ts":{},"status":"{}")",
                     written > 0 ? "," : "", update.topic().name, update.seq(), update.ts(),
                     name_of(update.status()));
      append_halt(body, update.halt());
      body += '}';
      Work::count(kTopicSteps);
    }
    const std::string_view next = page.next();
    body += next.empty() ? R"(],"next":null})" : fmt::format(R"(],"next":"{}"}})", next);
    return true;
  }
};

// Parameters without a value are as good as absent; unknown ones are ignored, as everywhere in the protocol.
Result<std::size_t> read_limit(const HttpRequest& request, std::size_t max, Limit limit) {
  const std::string text = parameter_of(request.query, "limit");
  return text.empty() ? Result<std::size_t>(max) : parse_limit(text, max, limit);
}

// RFC 9110 section 13.1.2: any of a list, compared weakly; `*` is any state at all.
bool is_known(std::string_view if_none_match, const std::string& tag) {
  return trimmed(if_none_match) == "*" || list_holds(if_none_match, tag, Case::kExact) ||
         list_holds(if_none_match, "W/" + tag, Case::kExact);
}

}  // namespace

std::vector<std::string> split_topics(std::string_view text) {
  std::vector<std::string> topics;
  while (!text.empty()) {
    const std::string_view topic = text.substr(0, text.find(','));
    text.remove_prefix(std::min(topic.size() + 1, text.size()));
    topics.emplace_back(topic);
  }
  return topics;
}

Result<int> parse_wait(std::string_view text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (whole && seconds >= 0 && seconds <= kWaitSecondsMax) return seconds * 1'000;
  Error refused{
      ErrorCode::kBadMessage,
      fmt::format("wait: must be 0 to {} whole seconds, not {}", kWaitSecondsMax, text.substr(0, 40)),
      "wait"};
  if (whole && seconds > 0) refused.limit = Limit::kWaitTime;
  return refused;
}

std::optional<HttpReads::Answer> HttpReads::answer(const HttpRequest& request) const {
  const std::string_view path = request.path;
  if (path == kTopicsPath) return topics(request);
  if (path == kSnapshotPath) return snapshots(request);
  if (path.starts_with(kSnapshotPath) && path[kSnapshotPath.size()] == '/')
    return snapshot(request, std::string(path.substr(kSnapshotPath.size() + 1)));
  if (path.starts_with(kHistoryPrefix))
    return history(request, std::string(path.substr(kHistoryPrefix.size())));
  return std::nullopt;
}

HttpReads::Answer HttpReads::topics(const HttpRequest& request) const {
  const auto limit = read_limit(request, kListTopicsMax, Limit::kListTopics);
  if (!limit) return error_response(limit.error());
  const std::string text = parameter_of(request.query, "pattern");
  const auto pattern = Pattern::parse(text.empty() ? ">" : text);
  if (!pattern) return error_response(pattern.error());
  const auto listing = std::make_shared<TopicsAnswer>(
      TopicsAnswer{{hub_, access_, *pattern, parameter_of(request.query, "after"), *limit}});
  AnswerInPieces pieces =
      [listing, is_public = request.anonymous](const Budget& budget) -> std::optional<HttpResponse> {
    if (!listing->run(budget)) return std::nullopt;
    HttpResponse response = text_response(std::move(listing->body), is_public);
    if (listing->page.cut_short()) response.limit = Limit::kListTopics;
    return response;
  };
  return ReadRequest{
      {}, true, [pieces = std::move(pieces)](const Admission::Decisions& /*none*/) { return pieces; }};
}

HttpReads::Answer HttpReads::snapshots(const HttpRequest& request) const {
  const auto limit = read_limit(request, kGetTopicsMax, Limit::kGetTopics);
  if (!limit) return error_response(limit.error());
  std::vector<std::string> topics = split_topics(parameter_of(request.query, "topics"));
  if (topics.empty()) {
    return error_response(
        {ErrorCode::kBadMessage, "topics: is required, topics and patterns joined by commas", "topics"});
  }
  const auto place = SnapshotPage::parse_place(parameter_of(request.query, "after"), topics.size());
  if (!place) return error_response(place.error());
  const bool lists = std::ranges::any_of(topics, is_pattern);
  auto then = [this, topics, extent = SnapshotPage::Extent{*place, *limit},
               anonymous = request.anonymous](const Admission::Decisions& decisions) {
    const auto page = std::make_shared<SnapshotPage>(hub_, topics, decisions, extent);
    const auto writer = std::make_shared<std::optional<SnapshotsWriter>>();
    return ReadRequest::Answer(
        AnswerInPieces([this, page, writer, is_public = anonymous && is_unguarded(decisions)](
                           const Budget& budget) -> std::optional<HttpResponse> {
          if (!*writer) {
            if (!page->run(budget)) return std::nullopt;
            writer->emplace(SnapshotsWriter::Body{}, hub_.epoch(), page->count(), page->next());
          }
          if (!page->write(**writer, budget)) return std::nullopt;
          HttpResponse response = text_response((*writer)->finish(), is_public);
          response.limit = page->cut_short();
          return response;
        }));
  };
  return ReadRequest{std::move(topics), lists, std::move(then)};
}

HttpReads::Answer HttpReads::snapshot(const HttpRequest& request, std::string topic) const {
  if (const Status valid = check_topic(topic); !valid) return error_response(valid.error());
  const std::string wait = parameter_of(request.query, "wait");
  const auto wait_ms = wait.empty() ? Result<int>(0) : parse_wait(wait);
  if (!wait_ms) return error_response(wait_ms.error());
  const bool anonymous = request.anonymous;
  if (*wait_ms > 0) {
    // Whoever the guards let wait: what they said is not known here, whether there are any is.
    auto answer = [this, topic, known = request.if_none_match, anonymous] {
      const bool guarded = access_.check(Action::kSubscribe, topic) != Verdict::kAllow;
      return state_of(topic, known, anonymous && !guarded);
    };
    return WaitRequest{std::move(topic), *wait_ms, std::move(answer)};
  }
  auto then = [this, topic, known = request.if_none_match,
               anonymous](const Admission::Decisions& decisions) -> ReadRequest::Answer {
    if (!decisions.front()) return error_response(decisions.front().error());
    return state_of(topic, known, anonymous && is_unguarded(decisions));
  };
  return ReadRequest{{std::move(topic)}, false, std::move(then)};
}

HttpResponse HttpReads::state_of(const std::string& topic, const std::string& if_none_match,
                                 bool is_public) const {
  const UpdatePtr update = hub_.find(topic);
  if (!update) return unknown_topic(topic);
  const std::string epoch = hub_.epoch();
  const std::string_view status = name_of(update->status());
  HttpResponse response = cached_response(is_public);
  std::string halt;
  append_halt(halt, update->halt());
  const std::string tag =
      fmt::format("\"{}-{}-{}-{}{}\"", epoch, update->seq(), update->ts(), status,
                  halt.empty() ? "" : fmt::format("-{:x}", std::hash<std::string>()(halt)));
  response.headers += fmt::format("ETag: {}\r\n", tag);
  if (is_known(if_none_match, tag)) {
    response.status = 304;
    return response;
  }
  const std::string_view delivery =
      update->delivery() == Delivery::kEvent ? R"("delivery":"event",)" : std::string_view();
  response.head = fmt::format(R"({{"topic":"{}","epoch":{},"seq":{},"ts":{},{}"status":"{}"{},"data":)",
                              topic, quote_json(epoch), update->seq(), update->ts(), delivery, status, halt);
  response.shared = update->image();
  response.owner = update;
  response.tail = "}";
  return response;
}

HttpReads::Answer HttpReads::history(const HttpRequest& request, std::string topic) const {
  if (const Status valid = check_topic(topic); !valid) return error_response(valid.error());
  const auto query = read_history_query(request);
  if (!query) return error_response(query.error());
  auto then = [this, topic, query = *query,
               anonymous = request.anonymous](const Admission::Decisions& decisions) -> ReadRequest::Answer {
    if (!decisions.front()) return error_response(decisions.front().error());
    const TopicPtr found = hub_.find_topic(topic);
    if (!found || !found->last()) return unknown_topic(topic);
    const auto history = std::make_shared<HttpHistory>(found, hub_.epoch(), query);
    return AnswerInPieces([history, is_public = anonymous && is_unguarded(decisions)](
                              const Budget& budget) -> std::optional<HttpResponse> {
      std::optional<std::string> body = history->run(budget);
      if (!body) return std::nullopt;
      HttpResponse response = text_response(std::move(*body), is_public);
      if (history->cut_short()) response.limit = Limit::kGetBytes;
      return response;
    });
  };
  return ReadRequest{{std::move(topic)}, false, std::move(then)};
}

}  // namespace tickwire
