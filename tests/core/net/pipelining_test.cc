// Requests behind requests, bodies that come and that do not, bytes of any kind: each connection ends, and
// the loop goes on and stops when it is told to.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "live_loop.h"

namespace tickwire {
namespace {

using Random = std::minstd_rand;

const std::string& any_of(Random& random, const std::vector<std::string>& all) {
  return all[random() % all.size()];
}

std::string random_request(Random& random) {
  static const std::vector<std::string> methods{"GET", "HEAD",    "POST",    "DELETE",
                                                "PUT", "OPTIONS", "CONNECT", "PRI"};
  static const std::vector<std::string> paths{"/health", "/", "/nothing",   "/v1/topics",
                                              "/ws",     "*", "/%0aHost:x", "/%"};
  static const std::vector<std::string> ends{
      "Content-Length: 5\r\n\r\nhello",
      "Content-Length: 5\r\n\r\nhe",
      "Content-Length: 5\r\n\r\n",
      "Content-Length: 0\r\n\r\n",
      "Content-Length: 99999999999999999999\r\n\r\nx",
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
      "Connection: keep-alive\r\n\r\n",
      "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
      "\r\n"};
  return any_of(random, methods) + " " + any_of(random, paths) +
         (random() % 8 == 0 ? " HTTP/1.0" : " HTTP/1.1") + "\r\nHost: localhost\r\n" + any_of(random, ends);
}

std::string random_sequence(Random& random) {
  std::string bytes;
  for (auto left = 1 + random() % 4; left > 0; --left) {
    switch (random() % 8) {
      case 0:
        bytes += RawClient::upgrade_request();
        bytes += RawClient::frame(1, R"({"type":"ping"})") + RawClient::frame(8, "\x03\xE8");
        break;
      case 1:
        for (auto n = random() % 40; n > 0; --n) bytes += static_cast<char>(random() % 256);
        break;
      default:
        bytes += random_request(random);
    }
  }
  return bytes;
}

// Sends a random sequence in one segment or in two, then half closes, closes, resets or does nothing.
void play(LiveLoop& live, Random& random, std::vector<RawClient>& left_open) {
  RawClient client = live.connect();
  const std::string bytes = random_sequence(random);
  const std::size_t cut = random() % 3 == 0 ? random() % bytes.size() : bytes.size();
  client.send(std::string_view(bytes).substr(0, cut));
  if (cut < bytes.size()) client.send(std::string_view(bytes).substr(cut));
  switch (random() % 4) {
    case 0:
      ::shutdown(client.fd(), SHUT_WR);
      EXPECT_TRUE(client.request_ends("")) << bytes;
      break;
    case 1: {
      const linger reset{1, 0};
      ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      break;
    }
    case 2:
      break;
    default:
      left_open.push_back(std::move(client));
  }
}

class Pipelining : public ::testing::TestWithParam<unsigned> {};

TEST_P(Pipelining, NoSequenceOfRequestsHoldsALoopOrItsStop) {
  NetConfig net;
  net.stop_ms_max = 500;
  LiveLoop live(net);
  Random random(GetParam());
  std::vector<RawClient> left_open;
  for (int i = 0; i < 300; ++i) {
    play(live, random, left_open);
    if (i % 20 == 0) {
      ASSERT_TRUE(live.answers()) << "after sequence " << i;
    }
  }
  EXPECT_TRUE(live.answers());
  live.loop.stop();  // a loop that hangs is never joined
  for (RawClient& client : left_open) EXPECT_TRUE(client.request_ends(""));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Pipelining, ::testing::Range(1U, 6U));

TEST(PipeliningCases, ABodyBehindAnAnsweredRequestEndsTheConnectionAndNotTheLoop) {
  const std::string first = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const std::string method : {"POST", "GET", "HEAD", "DELETE"}) {
    for (const std::string body : {"hello", "", "hel"}) {
      NetConfig net;
      net.linger_ms_max = 300;
      LiveLoop live(net);
      RawClient client = live.connect();
      client.send(first + method + " / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n" + body);
      EXPECT_EQ(client.reply().status, 200);
      EXPECT_TRUE(client.ended());
      EXPECT_TRUE(live.answers());
    }
  }
}

TEST(PipeliningCases, FramesBehindAnUpgradeReachTheSession) {
  LiveLoop live;
  RawClient client = live.connect();
  std::string bytes = RawClient::upgrade_request();
  for (int i = 0; i < 100; ++i)
    bytes += RawClient::frame(1, R"({"type":"ping","id":)" + std::to_string(i) + "}");
  client.send(bytes);
  EXPECT_EQ(client.reply(false).status, 101);
  EXPECT_NE(client.read_text().find("welcome"), std::string::npos);
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(client.read_text().find("\"id\":" + std::to_string(i) + ","), std::string::npos) << i;
  }
}

}  // namespace
}  // namespace tickwire
