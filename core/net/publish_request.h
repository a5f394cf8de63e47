// POST /v1/publish: one message as JSON, or many, a line each, as NDJSON. Each becomes the command `publish`
// of the request's own session, so it is admitted, limited and counted as one that came by WebSocket.
//
// Loop thread. The plan owns the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"
#include "net/request_head.h"
#include "net/request_session.h"

namespace tickwire {

inline constexpr std::string_view kPublishPath = "/v1/publish";
inline constexpr std::size_t kPublishLinesMax = 10'000;  // of one body

enum class PublishBody : std::uint8_t { kJson, kLines };

// How its body is to be read; or what is wrong with the request, whose page may use the server.
// `body_bytes_max`: more are refused.
struct PublishRequest {
  PublishBody body = PublishBody::kJson;
  std::optional<HttpResponse> refusal = {};
};
PublishRequest check_publish(const RequestHead& head, std::size_t body_bytes_max);

// `text` as it came. `wait_ms`: what is not answered after it was perhaps published.
std::unique_ptr<RequestPlan> publish_plan(PublishBody body, std::string text, int wait_ms);

// The command `publish` with this id, of a line; empty: the line is no object. What the line says of `type`
// and `id` does not count.
std::string publish_command(std::string_view line, std::uint64_t id);

}  // namespace tickwire
