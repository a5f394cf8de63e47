#include "net/request_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace tickwire {
namespace {

std::string with_headers(const std::string& headers) {
  return "GET / HTTP/1.1\r\n" + headers + "\r\n";
}

std::string with_target(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

// Both steps; the status of the refusal, 200: none.
int status_of(const std::string& bytes) {
  HeadScanner scanner;
  const auto found = scanner.scan(bytes);
  if (const auto* refusal = std::get_if<Refusal>(&found)) return refusal->status;
  if (!std::holds_alternative<std::size_t>(found)) return 0;  // not whole
  const auto parsed = parse_request_head(std::string_view(bytes).substr(0, std::get<std::size_t>(found)));
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refusal->status;
  return 200;
}

RequestHead parsed(const std::string& bytes) {
  EXPECT_EQ(status_of(bytes), 200) << bytes;
  return std::get<RequestHead>(parse_request_head(bytes));
}

TEST(RequestHead, IsReadIntoItsParts) {
  const RequestHead head = parsed(
      "GET /v1/snapshot/a%3Ab?x=1&token=a+b/c==&empty=&bare&&y=%C3%BC%26 HTTP/1.1\r\n"
      "Host: plant.example:8080\r\nX-Empty:\r\nAccept: a\r\nACCEPT: \t b \t\r\nCookie: \xFF\r\n\r\n");
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.path, "/v1/snapshot/a:b");
  EXPECT_TRUE(head.http_1_1);
  EXPECT_FALSE(head.has_body);
  EXPECT_EQ(head.parameter("token"), "a+b/c==");
  EXPECT_EQ(head.parameter("y"), "\xC3\xBC&");
  EXPECT_EQ(head.parameter("absent"), "");
  EXPECT_EQ(head.query.size(), 5U);
  EXPECT_EQ(head.header("accept"), "a, b");
  EXPECT_EQ(head.header("x-empty"), "");
  EXPECT_EQ(head.header("cookie"), "\xFF");
}

TEST(RequestHead, TargetsThatTwoReadersCouldReadDifferentlyAreRefused) {
  for (const char* target : {"/", "/ws", "/?", "/?a", "/a?b=c?d/e", "/v1/topics?pattern=ticker.>", "/~x/-._",
                             "//ws", "/a%3A", "/%C3%BC", "/?x=%41%2F%5c%2e"}) {
    EXPECT_EQ(status_of(with_target(target)), 200) << target;
  }
  for (const char* target : {"/%0aHost:%20localhost",
                             "/%0A",
                             "/%0d",
                             "/%00",
                             "/%09",
                             "/%1f",
                             "/%7F",
                             "/ws?token=%0a",
                             "/ws?token=a%00b",
                             "/ws?to%0dken=a",
                             "/%",
                             "/%4",
                             "/%zz",
                             "/%4g",
                             "/?%",
                             "/?a=%f",
                             "/.",
                             "/..",
                             "/../v1/sessions",
                             "/a/./b",
                             "/a/..",
                             "/%2e%2e/b",
                             "/%2E",
                             "/v1%2fsessions",
                             "/v1%5Csessions",
                             "/v1\\sessions",
                             "/v1/%73essions",
                             "/a#b",
                             "/?a#b",
                             "/\xC3\xBC",
                             "*",
                             "x",
                             "http://x/health",
                             "x:80",
                             "?a",
                             "/?a=1&a=2",
                             "/?a&a",
                             "/?a=1&%61=2",
                             "/a b",
                             ""}) {
    EXPECT_EQ(status_of(with_target(target)), 400) << target;
  }
}

TEST(RequestHead, FirstLinesOfAnotherShapeAreRefused) {
  for (const char* line : {"GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /", "GET",
                           "GET\t/ HTTP/1.1", "G@T / HTTP/1.1", "", "GET / HTTP/1.1 x"}) {
    EXPECT_EQ(status_of(std::string(line) + "\r\nHost: x\r\n\r\n"), 400) << line;
  }
  for (const char* version : {"HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1x", "HTTP/11", ""}) {
    EXPECT_EQ(status_of("GET / " + std::string(version) + "\r\nHost: x\r\n\r\n"), 505) << version;
  }
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
}

TEST(RequestHead, HeadersThatTwoReadersCouldReadDifferentlyAreRefused) {
  const std::string host = "Host: x\r\n";
  for (const std::string& headers :
       {host, std::string("host:x\r\n"), std::string("HOST:\t[::1]:8080 \r\n"), host + "A:\r\n",
        host + "A: 1\r\nA: 2\r\n", host + "Content-Length: 0\r\n", host + "Content-Length: 5\r\n",
        host + "Transfer-Encoding: chunked\r\n", host + "X: a:b\r\n"}) {
    EXPECT_EQ(status_of(with_headers(headers)), 200) << headers;
  }
  for (const std::string& headers : {std::string(),
                                     std::string("Host:\r\n"),
                                     std::string("Host: \r\n"),
                                     host + host,
                                     host + "HOST: x\r\n",
                                     host + "Host: localhost\r\n",
                                     std::string("Host: a, b\r\n"),
                                     std::string("Host: a b\r\n"),
                                     std::string("Host: a/b\r\n"),
                                     std::string("Host: a@b\r\n"),
                                     std::string("Host: \xFF\r\n"),
                                     host + "A : b\r\n",
                                     host + "A\t: b\r\n",
                                     host + " A: b\r\n",
                                     host + "A: b\r\n c\r\n",
                                     host + "A: b\r\n\tc\r\n",
                                     host + ": b\r\n",
                                     host + "A\r\n",
                                     host + "A(: b\r\n",
                                     host + "\xC3\xBC: b\r\n",
                                     host + "Content-Length: 5\r\nContent-Length: 5\r\n",
                                     host + "Content-Length: 5, 5\r\n",
                                     host + "Content-Length: +5\r\n",
                                     host + "Content-Length: -1\r\n",
                                     host + "Content-Length: 0x5\r\n",
                                     host + "Content-Length:\r\n",
                                     host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                     host + "Transfer-Encoding:\r\nContent-Length: 0\r\n",
                                     host + "Transfer-Encoding: a\r\nTransfer-Encoding: b\r\n",
                                     host + "Origin: a\r\nOrigin: b\r\n",
                                     host + "Authorization: a\r\nauthorization: b\r\n",
                                     host + "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n",
                                     host + "Upgrade: websocket\r\nUpgrade: h2c\r\n"}) {
    EXPECT_EQ(status_of(with_headers(headers)), 400) << headers;
  }
}

TEST(RequestHead, ABodyIsSeenHoweverItIsAnnounced) {
  EXPECT_TRUE(parsed(with_headers("Host: x\r\nContent-Length: 5\r\n")).has_body);
  EXPECT_TRUE(parsed(with_headers("Host: x\r\nContent-Length: 99999999999999999999999999\r\n")).has_body);
  EXPECT_TRUE(parsed(with_headers("Host: x\r\nTransfer-Encoding: chunked\r\n")).has_body);
  EXPECT_FALSE(parsed(with_headers("Host: x\r\nContent-Length: 000\r\n")).has_body);
}

TEST(RequestHead, LinesEndWithCrLfAndNothingElseIsAControlByte) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\nHost: x\n\n"), std::string("GET / HTTP/1.1\r\nHost: x\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"), std::string("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"),
        std::string("GET /\0 HTTP/1.1\r\n\r\n", 20), std::string("\r\nGET / HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nA: \x1B[2J\r\n\r\n"), std::string("GET / HTTP/1.1\r\nA: \x7F\r\n\r\n"),
        std::string("\x16\x03\x01\x02")}) {
    EXPECT_EQ(status_of(bytes), 400) << bytes;
  }
  HeadScanner scanner;
  const auto found = scanner.scan("\x16");
  ASSERT_TRUE(std::holds_alternative<Refusal>(found));
  EXPECT_NE(std::get<Refusal>(found).error.message.find("TLS"), std::string::npos);
}

TEST(RequestHead, IsTakenAtItsLimitsAndRefusedOnePast) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  const std::string whole = start + std::string(kRequestHeadBytesMax - start.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(whole.size(), kRequestHeadBytesMax);
  EXPECT_EQ(status_of(whole), 200);
  EXPECT_EQ(status_of(start + "x" + whole.substr(start.size())), 431);
  std::string headers = "Host: x\r\n";
  for (std::size_t i = 1; i < kRequestHeadersMax; ++i) headers += "A: b\r\n";
  EXPECT_EQ(status_of(with_headers(headers)), 200);
  EXPECT_EQ(status_of(with_headers(headers + "A: b\r\n")), 431);
}

TEST(RequestHead, ItsEndIsFoundHoweverItIsCut) {
  const std::string bytes = with_headers("Host: x\r\nA: b\r\n") + "behind it\n\0";
  const std::size_t size = bytes.find("behind");
  for (std::size_t first = 1; first < size; ++first) {
    HeadScanner scanner;
    EXPECT_TRUE(std::holds_alternative<std::monostate>(scanner.scan(bytes.substr(0, first)))) << first;
    const auto found = scanner.scan(bytes);
    ASSERT_TRUE(std::holds_alternative<std::size_t>(found)) << first;
    EXPECT_EQ(std::get<std::size_t>(found), size) << first;
  }
}

// Whatever the bytes are: they are refused, not whole, or every part of them is as the contract says.
TEST(RequestHead, NothingForbiddenComesThroughInAnyPart) {
  std::minstd_rand random(7);
  const std::vector<std::string> parts{"GET ",
                                       "/",
                                       "ws",
                                       "HEAD ",
                                       " HTTP/1.1",
                                       " HTTP/1.0",
                                       "\r\n",
                                       "\r",
                                       "\n",
                                       "Host: x",
                                       "Host : x",
                                       ":",
                                       " ",
                                       "\t",
                                       "%",
                                       "%0a",
                                       "%0D",
                                       "%00",
                                       "%2e",
                                       "%41",
                                       "%3A",
                                       "..",
                                       "?",
                                       "&",
                                       "=",
                                       "+",
                                       "#",
                                       "\\",
                                       "Content-Length: 5",
                                       "\xFF",
                                       "Transfer-Encoding: chunked",
                                       "\r\n\r\n",
                                       std::string(1, '\0'),
                                       "a",
                                       "Upgrade: websocket"};
  int whole = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes = random() % 2 == 0 ? "GET /" : "";
    for (auto left = random() % 8; left > 0; --left) bytes += parts[random() % parts.size()];
    if (random() % 2 == 0) bytes += " HTTP/1.1\r\nHost: x\r\n";
    for (auto left = random() % 4; left > 0; --left) bytes += parts[random() % parts.size()];
    bytes += "\r\n\r\n";
    HeadScanner scanner;
    const auto found = scanner.scan(bytes);
    if (!std::holds_alternative<std::size_t>(found)) continue;
    const auto result = parse_request_head(std::string_view(bytes).substr(0, std::get<std::size_t>(found)));
    const auto* head = std::get_if<RequestHead>(&result);
    if (head == nullptr) continue;
    ++whole;
    const auto clean = [](const std::string& text) {
      return std::ranges::none_of(text,
                                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    };
    EXPECT_TRUE(head->path.starts_with('/') && clean(head->path)) << bytes;
    EXPECT_EQ((head->path + "/").find("/../"), std::string::npos) << bytes;
    EXPECT_TRUE(head->http_1_1 ? !head->header("host").empty() : true) << bytes;
    for (const auto& [name, value] : head->query) EXPECT_TRUE(clean(name) && clean(value)) << bytes;
    for (const auto& [name, value] : head->headers) {
      EXPECT_EQ(name.find_first_of(" \t\r\n:"), std::string::npos) << bytes;
      EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << bytes;
    }
  }
  EXPECT_GT(whole, 1'000);
}

}  // namespace
}  // namespace tickwire
