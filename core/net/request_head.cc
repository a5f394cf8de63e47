#include "net/request_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "net/header_text.h"

namespace tickwire {
namespace {

constexpr std::array<std::string_view, 8> kSingleHeaders{
    "host",   "content-length",    "transfer-encoding",     "authorization",
    "origin", "sec-websocket-key", "sec-websocket-version", "upgrade"};

Refusal malformed(std::string field, std::string_view message) {
  Error error{ErrorCode::kBadMessage,
              field.empty() ? std::string(message) : fmt::format("{}: {}", field, message), std::move(field)};
  return {400, std::move(error)};
}

Refusal too_long() {
  return {431,
          {ErrorCode::kTooLarge, fmt::format("the request head is over {} bytes", kRequestHeadBytesMax), "",
           Limit::kRequestHeadBytes}};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_unreserved(char c) {  // RFC 3986 section 2.3
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Part : std::uint8_t { kPath, kQuery };

// An encoded character that a path is compared by hides it from whoever compares without decoding.
std::optional<Refusal> check_decoded(char c, Part part) {
  if (is_control(c)) return malformed("URL", "an encoded control byte is not accepted");
  if (part == Part::kQuery) return std::nullopt;
  if (c == '/' || c == '\\') return malformed("URL", "an encoded slash is not accepted in a path");
  if (is_unreserved(c)) return malformed("URL", "letters, digits and -._~ must not be encoded in a path");
  return std::nullopt;
}

std::optional<Refusal> decode(std::string_view text, Part part, std::string& decoded) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return malformed("URL", "% must be followed by two hexadecimal digits");
    const char c = static_cast<char>(high * 16 + low);
    if (auto refusal = check_decoded(c, part)) return refusal;
    decoded += c;
    i += 2;
  }
  return std::nullopt;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // its slash
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

std::optional<Refusal> parse_query(std::string_view text, RequestHead& head) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string name;
    std::string value;
    if (auto refusal = decode(pair.substr(0, equals), Part::kQuery, name)) return refusal;
    if (equals != std::string_view::npos) {
      if (auto refusal = decode(pair.substr(equals + 1), Part::kQuery, value)) return refusal;
    }
    const auto same = [&name](const auto& earlier) { return earlier.first == name; };
    if (std::ranges::any_of(head.query, same)) return malformed("URL", "a parameter is given twice");
    head.query.emplace_back(std::move(name), std::move(value));
  }
  return std::nullopt;
}

std::optional<Refusal> parse_target(std::string_view target, RequestHead& head) {
  if (!target.starts_with('/')) return malformed("URL", "must be a path; this is no proxy");
  for (const char c : target) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return malformed("URL", "must be ASCII; encode other characters");
    if (is_control(c)) return malformed("URL", "a control byte is not accepted");
    if (c == '#') return malformed("URL", "must be without a fragment (#)");
  }
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.find('\\') != std::string_view::npos)
    return malformed("URL", "a backslash is not accepted in a path");
  if (auto refusal = decode(path, Part::kPath, head.path)) return refusal;
  if (has_dot_segment(head.path)) return malformed("URL", "must be without the segments . and ..");
  if (path.size() == target.size()) return std::nullopt;
  return parse_query(target.substr(path.size() + 1), head);
}

std::optional<Refusal> parse_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || line.find(' ', first + 1) != last) {
    return malformed("", "the first line must be a method, a path and HTTP/1.1, with one blank between them");
  }
  head.method = line.substr(0, first);
  if (!is_token(head.method) ||
      std::ranges::any_of(head.method, [](char c) { return c >= 'a' && c <= 'z'; })) {
    return malformed("", "the method is not made of capital letters");
  }
  const std::string_view version = line.substr(last + 1);
  head.http_1_1 = version == "HTTP/1.1";
  if (!head.http_1_1 && version != "HTTP/1.0") {
    return Refusal{505, {ErrorCode::kBadMessage, "only HTTP/1.1 and HTTP/1.0 are spoken here", ""}};
  }
  return parse_target(line.substr(first + 1, last - first - 1), head);
}

std::optional<Refusal> parse_header(std::string_view line, RequestHead& head) {
  if (head.headers.size() == kRequestHeadersMax) {
    return Refusal{431,
                   {ErrorCode::kTooLarge, fmt::format("more than {} headers", kRequestHeadersMax), "",
                    Limit::kRequestHeaders}};
  }
  if (line.front() == ' ' || line.front() == '\t')
    return malformed("", "a header on several lines is not accepted");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return malformed("", "a header is not a name and a colon, with no blank before it");
  }
  std::string name = lower_case(line.substr(0, colon));
  const bool single = std::ranges::find(kSingleHeaders, name) != kSingleHeaders.end();
  const auto same = [&name](const auto& earlier) { return earlier.first == name; };
  if (single && std::ranges::any_of(head.headers, same)) return malformed(name, "is given twice");
  head.headers.emplace_back(std::move(name), std::string(trimmed(line.substr(colon + 1))));
  return std::nullopt;
}

// Whether all characters are those of a host name or an address, with a port or without: nobody can take it
// for two.
bool is_host(std::string_view host) {
  return std::ranges::all_of(host,
                             [](char c) { return is_unreserved(c) || c == ':' || c == '[' || c == ']'; });
}

// RFC 9112 section 6.3: a length that two readers could see differently is how one request hides in another.
std::optional<Refusal> check_body(RequestHead& head) {
  const auto find = [&head](std::string_view name) {
    return std::ranges::find_if(head.headers, [name](const auto& header) { return header.first == name; });
  };
  const bool chunked = find("transfer-encoding") != head.headers.end();
  const auto length = find("content-length");
  if (length == head.headers.end()) {
    head.has_body = chunked;
    head.chunked = chunked;
    return std::nullopt;
  }
  const std::string& digits = length->second;
  if (chunked) return malformed("Content-Length", "cannot go with transfer-encoding");
  if (digits.empty() || !std::ranges::all_of(digits, is_digit))
    return malformed("Content-Length", "must be a number");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), head.body_bytes);
  if (error != std::errc{}) head.body_bytes = UINT64_MAX;  // more than a number can say
  head.has_body = head.body_bytes > 0;
  return std::nullopt;
}

std::optional<Refusal> check_head(RequestHead& head) {
  const std::string host = head.header("host");
  if (host.empty() && head.http_1_1) return malformed("Host", "is missing");
  if (!is_host(host)) return malformed("Host", "must be one host name or address, with or without a port");
  return check_body(head);
}

}  // namespace

std::string RequestHead::header(std::string_view name) const {
  std::string joined;
  for (const auto& [given, value] : headers) {
    if (given != name || value.empty()) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

std::optional<std::string> RequestHead::find_header(std::string_view name) const {
  const bool there = std::ranges::any_of(headers, [name](const auto& pair) { return pair.first == name; });
  return there ? std::optional(header(name)) : std::nullopt;
}

std::string RequestHead::parameter(std::string_view name) const {
  return parameter_of(query, name);
}

HeadScanner::Found HeadScanner::scan(std::string_view bytes) {
  for (; scanned_ < bytes.size(); ++scanned_) {
    if (scanned_ >= kRequestHeadBytesMax) return too_long();
    const char c = bytes[scanned_];
    if (scanned_ == 0 && c == 0x16)
      return malformed("", "TLS is not spoken at this address; use http:// and ws://");
    if (c == '\r') {
      if (scanned_ + 1 == bytes.size()) return {};  // looked at again, with what follows
      if (bytes[scanned_ + 1] != '\n') return malformed("", "a line must end with CR LF");
      const bool empty = scanned_ == line_;
      if (empty && line_ == 0) return malformed("", "the request begins with an empty line");
      scanned_ += 1;
      line_ = scanned_ + 1;
      if (empty && line_ > kRequestHeadBytesMax) return too_long();
      if (empty) return ++scanned_;
    } else if (c == '\n') {
      return malformed("", "a line must end with CR LF");
    } else if (is_control(c) && c != '\t') {
      return malformed("", "a control byte is not accepted in a request head");
    }
  }
  return {};
}

std::variant<RequestHead, Refusal> parse_request_head(std::string_view bytes) {
  RequestHead head;
  std::size_t end = bytes.find("\r\n");
  if (auto refusal = parse_request_line(bytes.substr(0, end), head)) return *refusal;
  for (;;) {
    bytes.remove_prefix(end + 2);
    end = bytes.find("\r\n");
    if (end == 0 || end == std::string_view::npos) break;
    if (auto refusal = parse_header(bytes.substr(0, end), head)) return *refusal;
  }
  if (auto refusal = check_head(head)) return *refusal;
  return head;
}

}  // namespace tickwire
