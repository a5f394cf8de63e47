// HttpReads: what is read of topics over HTTP, once: GET /v1/snapshot?topics=, /v1/snapshot/<topic>,
// /v1/history/<topic>, /v1/topics. Each is a request to a session of its own (net/request_session.h), which
// holds it to its limits and asks who may read; only what was allowed is looked up here.
//
// An answer about topics that nobody guards, to an anonymous request, is the same for everybody: caches may
// keep it for a second. Every other one is its client's alone.
//
// Thread: one loop's; it only reads. Hub and access outlive it, and it outlives its answers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fanout/access.h"
#include "fanout/admission.h"
#include "hub/hub.h"
#include "net/http_message.h"

namespace tickwire {

// A request that reads what a subscriber of `topics` may know.
struct ReadRequest {
  using Answer = std::variant<HttpResponse, AnswerInPieces>;

  std::vector<std::string> topics;  // may be none
  bool lists = false;               // it looks at many names, as the command list does
  // Called once it is decided who may read what: one decision for each topic.
  std::function<Answer(const Admission::Decisions&)> then;
};

// One that waits until something was published to `topic`, which its session wants meanwhile.
struct WaitRequest {
  std::string topic;
  int wait_ms = 0;
  // Called when there is something, or when the time is over; only where a subscribe was allowed.
  std::function<HttpResponse()> answer;
};

inline constexpr int kWaitSecondsMax = 60;  // ?wait=; proxies give up on what is silent for longer

// The value of ?wait=, ms. kBadMessage: it is no number of whole seconds up to kWaitSecondsMax.
Result<int> parse_wait(std::string_view text);
// The names of ?topics=, which commas join.
std::vector<std::string> split_topics(std::string_view text);

class HttpReads {
 public:
  HttpReads(const Hub& hub, const Access& access) : hub_(hub), access_(access) {}

  using Answer = std::variant<HttpResponse, ReadRequest, WaitRequest>;
  // Nothing: there is nothing to read at this path.
  [[nodiscard]] std::optional<Answer> answer(const HttpRequest& request) const;

 private:
  [[nodiscard]] Answer topics(const HttpRequest& request) const;
  [[nodiscard]] Answer snapshots(const HttpRequest& request) const;
  [[nodiscard]] Answer snapshot(const HttpRequest& request, std::string topic) const;
  [[nodiscard]] Answer history(const HttpRequest& request, std::string topic) const;
  [[nodiscard]] HttpResponse state_of(const std::string& topic, const std::string& if_none_match,
                                      bool is_public) const;

  const Hub& hub_;
  const Access& access_;
};

}  // namespace tickwire
