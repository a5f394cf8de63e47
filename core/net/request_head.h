// parse_request_head: the head of one HTTP/1.x request (RFC 9112) from its bytes, read strictly: what another
// reader (a proxy in front, libwebsockets behind) could read in another way is refused, never repaired.
//
// Refused are: bare CR or LF and other control bytes, folded lines, blanks before a colon, a target that is
// not a path, dot segments, `%` without two hexadecimal digits, encoded control bytes, encoded slashes and
// encoded letters in a path, a repeated parameter or single-valued header, a body whose length two readers
// could see differently. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/http_message.h"

namespace tickwire {

inline constexpr std::size_t kRequestHeadBytesMax = 16U << 10U;  // request line and headers; more: 431
inline constexpr std::size_t kRequestHeadersMax = 100;           // lines; more: 431

struct RequestHead {
  std::string method;
  std::string path;  // decoded
  Query query;       // '+' stays '+'
  bool http_1_1 = false;
  bool has_body = false;                                     // the head announces one
  bool chunked = false;                                      // or is encoded otherwise: of unknown length
  std::uint64_t body_bytes = 0;                              // as announced
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, values trimmed

  // `name` in lower case. A repeated header is joined with ", "; an absent one is empty.
  [[nodiscard]] std::string header(std::string_view name) const;
  // The same, nothing where the header is absent: an empty one is there.
  [[nodiscard]] std::optional<std::string> find_header(std::string_view name) const;
  // Empty: absent.
  [[nodiscard]] std::string parameter(std::string_view name) const;
};

// Finds the end of a head in bytes that come piece by piece, and refuses early what can never become one. One
// per connection.
class HeadScanner {
 public:
  // `bytes` are all so far; each is looked at once. The size of the head with its empty line; nothing yet; or
  // the refusal.
  using Found = std::variant<std::monostate, std::size_t, Refusal>;
  Found scan(std::string_view bytes);

 private:
  std::size_t scanned_ = 0;
  std::size_t line_ = 0;  // where the line under way begins
};

// `head` as the scanner found it.
std::variant<RequestHead, Refusal> parse_request_head(std::string_view head);

}  // namespace tickwire
