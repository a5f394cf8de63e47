// GET /sse and GET /poll: what a request subscribes to, as the command `subscribe` of its session, and the
// long poll, which is a session of one request.
//
// Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "net/http_message.h"
#include "net/request_head.h"
#include "net/request_session.h"

namespace tickwire {

inline constexpr std::string_view kEventsPath = "/sse";
inline constexpr std::string_view kPollPath = "/poll";

// Whether a token says more than an anonymous GET of this path does.
inline bool takes_token(std::string_view path) {
  return path == kEventsPath || path == kPollPath || path.starts_with("/v1/");
}
inline constexpr int kPollWaitSeconds = 25;  // ?wait= of /poll where it is absent

struct SubscribeRequest {
  std::string command;
  std::string cursor;  // as given; empty: none
  int wait_ms = 0;     // of /poll
};
// Or what is wrong with the request.
std::variant<SubscribeRequest, HttpResponse> subscribe_request(const RequestHead& head);

// Answers with what changed since its cursor: at once where something did, else as soon as something does.
std::unique_ptr<RequestPlan> poll_plan(SubscribeRequest request);

}  // namespace tickwire
