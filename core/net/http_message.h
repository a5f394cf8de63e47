// HttpRequest and HttpResponse: one exchange as plain values, between the router, which decides, and the
// connection, which reads and writes. Thread: whoever holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/work.h"

namespace tickwire {

// The parameters of a request, decoded; each name once.
using Query = std::vector<std::pair<std::string, std::string>>;
// Empty: absent.
std::string parameter_of(const Query& query, std::string_view name);

struct HttpRequest {
  std::string method;
  std::string path;  // decoded, without the query
  Query query;
  std::string if_none_match;
  std::string host;  // empty: HTTP/1.0 without one
  std::string authorization;
  bool anonymous = true;              // nothing of it says who its client is (net/identity.h)
  std::optional<std::string> origin;  // nothing: no such header; a page's may be empty
  bool has_body = false;
};

// A request that is not done as it asks.
struct Refusal {
  int status = 400;
  Error error;
};

// Pages of other sites that may read an answer (CORS).
enum class Readers : std::uint8_t {
  kAllPages,      // it says the same to everybody, and whole pages are made of it
  kAllowedPages,  // those that may use the server (net/origin_rule.h)
  kNoPage,
};

// The body is head + shared + tail, so that an image is sent from where it lies.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string headers;  // further ones, each ended by CR LF
  std::string head;
  std::string_view shared;
  std::shared_ptr<const void> owner;  // keeps `shared` alive; null where it is constant
  std::string tail;
  Readers readers = Readers::kAllowedPages;
  std::optional<Limit> limit = {};  // that is why it says no, or ends where it does

  [[nodiscard]] std::size_t body_bytes() const { return head.size() + shared.size() + tail.size(); }
};

// An answer that takes a while: called on one loop thread, between its turns, until it gives one.
using AnswerInPieces = std::function<std::optional<HttpResponse>(const Budget&)>;

// Reads the value of ?limit=: 1 to `max`, which is that of `limit`, else kBadMessage.
Result<std::size_t> parse_limit(std::string_view text, std::size_t max, Limit limit);

// An empty answer of JSON that no cache may keep, because it is true only now.
HttpResponse json_response();
// The object that describes an error, as docs/PROTOCOL.md has it.
std::string error_json(const Error& error);
// {"error":{...}} as docs/PROTOCOL.md has it.
// `allow`: the methods that a 405 names (RFC 9110 section 15.5.6).
HttpResponse error_response(int status, const Error& error, std::string_view allow = "GET, HEAD");
// What a browser asks before a page of another site sends a token (the Fetch standard, CORS-preflight
// request): that it may, with these methods.
HttpResponse preflight(std::string_view methods);
// With the status that its code has there.
HttpResponse error_response(const Error& error);
// 503 `too_many`: `limit` is in the way, which is not this client's own.
HttpResponse too_many(std::string_view what, Limit limit);

// Status line and headers, which say that the connection closes: one request a connection. The length is that
// of the body as GET would have it.
std::string response_head(const HttpResponse& response);

}  // namespace tickwire
