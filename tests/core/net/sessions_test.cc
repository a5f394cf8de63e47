// GET /v1/sessions of the admin listener, over a real loop: an answer that comes later, from another thread.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "live_loop.h"

namespace tickwire {
namespace {

std::string request(const std::string& more = "", const std::string& method = "GET",
                    const std::string& host = "127.0.0.1") {
  return method + " /v1/sessions?limit=7 HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n";
}

bool asked(LiveLoop& live, std::size_t count = 1) {
  return eventually([&] { return live.source.asked() == count; });
}

TEST(Sessions, TheAnswerComesWhenItIsThereAndNobodyWaitsForIt) {
  LiveLoop live;
  for (const std::string body : {R"({"total":1})", R"({"total":2})"}) {
    RawClient client = live.connect_admin();
    client.send(request() + "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(asked(live));
    EXPECT_TRUE(live.answers()) << "the loop does not wait for it";
    EXPECT_EQ(live.source.tell(body), 7U);
    const HttpReply reply = client.reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, body);
    EXPECT_NE(reply.head.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_EQ(reply.head.find("Access-Control-Allow-Origin"), std::string::npos) << "no page reads it";
    EXPECT_TRUE(client.ended()) << "what stood behind it is not answered";
  }
}

TEST(Sessions, OneThatEndsItsHalfWhileItWaitsIsAnswered) {
  LiveLoop live;
  RawClient client = live.connect_admin();
  client.send(request());
  ASSERT_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  ASSERT_TRUE(asked(live));
  live.source.tell(R"({"total":1})");
  EXPECT_EQ(client.reply().body, R"({"total":1})");
  EXPECT_TRUE(client.ended());
}

TEST(Sessions, HeadGetsTheHeadOnly) {
  LiveLoop live;
  RawClient client = live.connect_admin();
  client.send(request("", "HEAD"));
  ASSERT_TRUE(asked(live));
  live.source.tell(R"({"total":1})");
  EXPECT_NE(client.reply(false).head.find("Content-Length: 11\r\n"), std::string::npos);
  EXPECT_EQ(client.reply().status, 0);
}

TEST(Sessions, AClientThatLeftIsNotAnswered) {
  LiveLoop live;
  {
    RawClient client = live.connect_admin();
    client.send(request());
    ASSERT_TRUE(asked(live));
  }
  EXPECT_TRUE(live.answers());
  live.source.tell("{}");
  EXPECT_TRUE(live.answers());
}

TEST(Sessions, AnAnswerThatIsNotReadyInTimeIsSaidToBeUnavailable) {
  NetConfig net;
  net.answer_stall_ms_max = 300;
  LiveLoop live(net);
  RawClient client = live.connect_admin();
  client.send(request());
  ASSERT_TRUE(asked(live));
  const HttpReply reply = client.reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_NE(reply.body.find(R"("code":"unavailable")"), std::string::npos) << reply.body;
  EXPECT_EQ(live.limited(Limit::kAnswerStall), 0U) << "the client has taken all that there was";
  live.source.tell("{}");  // too late
  EXPECT_TRUE(live.answers());
}

TEST(Sessions, NoMoreAnswersWaitThanTheLimitSays) {
  NetConfig net;
  net.answers_open = {5, 3, 1};
  LiveLoop live(net);
  std::vector<RawClient> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(live.connect_admin());
    waiting.back().send(request());
  }
  ASSERT_TRUE(asked(live, 5));
  RawClient one_more = live.connect_admin();
  one_more.send(request());
  const HttpReply reply = one_more.reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_NE(reply.body.find(R"("code":"too_many")"), std::string::npos);
  EXPECT_EQ(live.limited(Limit::kAnswersOpen), 1U);
  for (RawClient& client : waiting) {
    live.source.tell("{}");
    EXPECT_EQ(client.reply().status, 200);
  }
}

TEST(Sessions, ALoopEndsThoughSomebodyWaits) {
  NetConfig net;
  net.stop_ms_max = 300;
  LiveLoop live(net);
  RawClient client = live.connect_admin();
  client.send(request());
  ASSERT_TRUE(asked(live));
  std::thread late([&live] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    live.source.tell("{}");
  });
  live.loop.stop();
  late.join();
  EXPECT_LE(client.reply().status, 200);
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace tickwire
