// A request over HTTP is a session: held to the same limits, admitted by the same authorizers.
#include "net/request_session.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "requests.h"

namespace tickwire {
namespace {

using nlohmann::json;

TEST_F(RequestSessions, AGuardedTopicIsItsAuthorizersToGive) {
  ASSERT_TRUE(hub.publish("guarded.a", R"({"n":1})").ok());
  RawClient client = connect();
  client.send("GET /v1/snapshot/guarded.a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t1\r\n\r\n");
  const AccessQuestion asked = question();
  EXPECT_EQ(asked.topic, "guarded.a");
  EXPECT_EQ(asked.client->token, "t1");
  answer(asked, Ruling::kAllow);
  const HttpReply reply = client.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.head.find("private, no-store"), std::string::npos);

  RawClient other = connect();
  other.send("GET /v1/history/guarded.a?token=t2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const AccessQuestion again = question();
  EXPECT_EQ(again.client->token, "t2");
  answer(again, Ruling::kDeny, "not yours");
  const HttpReply denied = other.reply();
  EXPECT_EQ(denied.status, 403);
  EXPECT_NE(denied.body.find("guarded.a: not yours"), std::string::npos);
  EXPECT_TRUE(sessions_are(0));
}

TEST_F(RequestSessions, TheTokenIsJudgedFirst) {
  access.authenticator = true;
  ASSERT_TRUE(hub.publish("open", R"({"n":1})").ok());
  const auto ask = [&](Ruling ruling) {
    RawClient client = connect();
    client.send("GET /v1/snapshot/open HTTP/1.1\r\nHost: localhost\r\nAuthorization: bearer t\r\n\r\n");
    answer(question(), ruling, ruling == Ruling::kAllow ? "{}" : "no");
    return client.reply().status;
  };
  EXPECT_EQ(ask(Ruling::kAllow), 200);
  EXPECT_EQ(ask(Ruling::kDeny), 403);
  EXPECT_EQ(ask(Ruling::kUnavailable), 503);
  EXPECT_EQ(get("/v1/snapshot/open").status, 200) << "anybody may read what nobody guards";
}

TEST_F(RequestSessions, OneMayWaitUntilSomethingIsPublished) {
  RawClient client = connect();
  client.send("GET /v1/snapshot/late?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(sessions_are(1));
  EXPECT_TRUE(eventually([&] { return hub.find_topic("late") != nullptr; })) << "it is wanted";
  ASSERT_TRUE(hub.publish("late", R"({"n":1})").ok());
  const HttpReply reply = client.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(json::parse(reply.body).at("data").at("n"), 1);
  EXPECT_EQ(get("/v1/snapshot/late?wait=60").status, 200) << "there is something at once";
  EXPECT_EQ(get("/v1/snapshot/never?wait=1").status, 404);
  for (const char* wrong : {"61", "-1", "x", "1.5"}) {
    EXPECT_EQ(get("/v1/snapshot/late?wait=" + std::string(wrong)).status, 400) << wrong;
  }
}

TEST_F(RequestSessions, OneThatLeavesWhileItWaitsLeavesNothingBehind) {
  {
    RawClient client = connect();
    client.send("GET /v1/snapshot/late?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(sessions_are(1));
  }
  EXPECT_TRUE(sessions_are(0));
}

TEST_F(RequestSessions, OneThatWaitsHearsThatTheServerGoes) {
  RawClient client = connect();
  client.send("GET /v1/snapshot/late?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(sessions_are(1));
  loop.drain(0);
  EXPECT_EQ(client.reply().status, 503);
}

// --- publish --------------------------------------------------------------------------------------------

TEST_F(RequestSessions, OneMessageIsPublishedAsItIs) {
  const HttpReply reply = post(R"({"topic":"chat.a","data":{"n":1.00,"s":"0.10"}})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"topic":"chat.a","seq":1})");
  EXPECT_EQ(hub.find("chat.a")->data(), R"({"n":1.00,"s":"0.10"})");
  EXPECT_TRUE(sessions_are(0));
}

TEST_F(RequestSessions, LinesAreAnsweredLineByLine) {
  const std::string body =
      "{\"topic\":\"chat.a\",\"data\":{\"n\":1}}\r\n"
      "\n"
      "this is not JSON\n"
      "{\"topic\":\"chat.a\",\"data\":{\"n\":}}\n"
      "{\"topic\":\"no topic\",\"data\":{}}\n"
      "{}\n"
      "{\"type\":\"list\",\"id\":99,\"topic\":\"chat.b\",\"data\":{\"n\":2}}\n"
      "{\"id\":1,\"topic\":\"chat.a\",\"data\":{\"n\":}}\n"
      "{\"topic\":\"chat.a\",\"data\":{\"n\":3}}";
  const HttpReply reply = post(body, "Content-Type: application/x-ndjson; charset=utf-8\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.head.find("application/x-ndjson"), std::string::npos);
  std::vector<std::string> results;
  std::istringstream lines(reply.body);
  for (std::string line; std::getline(lines, line);) {
    const json result = json::parse(line);
    results.push_back(result.contains("error") ? result["error"]["code"].get<std::string>() : result.dump());
  }
  EXPECT_EQ(results, (std::vector<std::string>{R"({"seq":1,"topic":"chat.a"})", "bad_message", "bad_data",
                                               "bad_topic", "bad_message", R"({"seq":1,"topic":"chat.b"})",
                                               "bad_data", R"({"seq":2,"topic":"chat.a"})"}));
}

TEST_F(RequestSessions, ThousandsOfLinesArePublishedAndOnePastTheLimitIsRefused) {
  std::string body;
  for (int i = 0; i < 10'000; ++i)
    body += R"({"topic":"t","data":{"n":1}})"
            "\n";
  const std::string type = "Content-Type: application/x-ndjson\r\n";
  EXPECT_EQ(post(body, type).status, 200);
  EXPECT_EQ(hub.find("t")->seq(), 10'000U);
  EXPECT_EQ(post(body + "{}", type).status, 413);
  EXPECT_EQ(hub.find("t")->seq(), 10'000U);
}

TEST_F(RequestSessions, APublishIsItsAuthorizersToAllow) {
  RawClient client = connect();
  const std::string body = R"({"topic":"guarded.a","data":{}})";
  client.send(
      "POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Authorization: Bearer t1\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const AccessQuestion asked = question();
  EXPECT_EQ(asked.action, Action::kPublish);
  EXPECT_EQ(asked.client->token, "t1");
  answer(asked, Ruling::kDeny, "not yours");
  EXPECT_EQ(client.reply().status, 403);
}

TEST_F(RequestSessions, APageOfAnotherSiteIsToldThatItMaySendAToken) {
  const auto ask = [&](const std::string& path, const std::string& origin) {
    RawClient client = connect();
    client.send("OPTIONS " + path + " HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin + "\r\n\r\n");
    return client.reply(false);
  };
  for (const std::string path : {"/sse", "/poll", "/v1/topics", "/v1/snapshot/a"}) {
    const HttpReply reply = ask(path + "?topics=a", "https://ours");
    EXPECT_EQ(reply.status, 204) << path;
    EXPECT_NE(reply.head.find("Access-Control-Allow-Methods: GET\r\n"), std::string::npos) << path;
    EXPECT_NE(reply.head.find("Access-Control-Allow-Headers: Authorization"), std::string::npos) << path;
    EXPECT_EQ(ask(path, "https://theirs").status, 403) << path;
  }
  EXPECT_EQ(ask("/health", "https://ours").status, 405);
}

TEST_F(RequestSessions, APublishSaysWhatItIsAndWhereItComesFrom) {
  const std::string body = R"({"topic":"a","data":{}})";
  const auto status = [&](const std::string& headers) { return post(body, headers).status; };
  EXPECT_EQ(status("Content-Type: application/json; charset=utf-8\r\n"), 200);
  EXPECT_EQ(status(""), 415);
  EXPECT_EQ(status("Content-Type: text/plain\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/json\r\nOrigin: https://ours\r\n"), 200);
  EXPECT_EQ(status("Content-Type: application/json\r\nOrigin: https://theirs\r\n"), 403);
  EXPECT_EQ(post(body, "", "PUT").status, 405);
  EXPECT_EQ(post("", "Origin: https://ours\r\n", "OPTIONS").status, 204);
  EXPECT_EQ(post("", "Origin: https://theirs\r\n", "OPTIONS").status, 403);
  EXPECT_EQ(get("/v1/publish").status, 405);
  EXPECT_EQ(post("").status, 400);
  RawClient chunked = connect();
  chunked.send(
      "POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(chunked.reply().status, 411);
}

TEST_F(RequestSessions, ABodyHasALimitAndMayComeInPieces) {
  const auto head = [](std::size_t bytes, const std::string& more = "") {
    return "POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more +
           "Content-Length: " + std::to_string(bytes) + "\r\n\r\n";
  };
  RawClient large = connect();
  large.send(head(kMessageBytesMax + 1));
  EXPECT_EQ(large.reply().status, 413);
  RawClient without = connect();
  without.send("POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n");
  EXPECT_EQ(without.reply().status, 411);
  EXPECT_EQ(post("").status, 400) << "it is empty";
  const std::string body = R"({"topic":"a","data":{"x":")" + std::string(100'000, 'x') + "\"}}";
  RawClient client = connect();
  client.send(head(body.size(), "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.reply(false).status, 100);
  client.send(body.substr(0, 10));
  client.send(body.substr(10));
  EXPECT_EQ(client.reply().status, 200);
}

// Time stands still, so that no bucket fills again while a slow machine goes on.
class StoppedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'790'000'000'000; }
  [[nodiscard]] std::int64_t steady_us() const override { return 1'000'000'000; }
};

struct AddressRatesOfAll {
  RateLimits limits{.session = {Rate{100}, Rate{100}, Rate{100}}, .address = {Rate{100}, Rate{1}, Rate{1}}};
  SharedRates rates{limits};
  StoppedClock stopped;
};

struct ImpatientRequests : RequestSessions {
  ImpatientRequests() : RequestSessions({}, nullptr, impatient()) {}
  static NetConfig impatient() {
    NetConfig config = net();
    config.publish_ms_max = 50;
    config.answer_stall_ms_max = 50;
    return config;
  }
};

TEST_F(ImpatientRequests, ATokenThatNobodyJudgesInTimeIsSaidOnEachRoad) {
  access.authenticator = true;
  const std::string token = "Authorization: Bearer t\r\n";
  for (const std::string type : {"application/json", "application/x-ndjson"}) {
    const HttpReply reply = post("{}", token + "Content-Type: " + type + "\r\n");
    EXPECT_EQ(reply.status, 503) << type;
    EXPECT_NE(reply.body.find("nobody could judge it in time"), std::string::npos) << reply.body;
  }
  for (const std::string path : {"/v1/snapshot/a", "/v1/snapshot?topics=a", "/v1/topics",
                                 "/poll?topics=a&wait=1", "/v1/snapshot/a?wait=1"})
    EXPECT_EQ(get(path, token).status, 503) << path;
  access.authenticator = false;
  EXPECT_EQ(get("/v1/topics").status, 200);
}

struct RatedRequests : AddressRatesOfAll, RequestSessions {
  RatedRequests() : RequestSessions(rated(), &stopped) {}
  ShardConfig rated() {
    ShardConfig config;
    config.rates = limits;
    config.shared_rates = &rates;
    return config;
  }
};

TEST_F(RatedRequests, AnAddressHasTheRateThatItHasOverWebSockets) {
  ASSERT_TRUE(hub.publish("a", "{}").ok());
  EXPECT_EQ(get("/v1/topics", "", kOneOfMany).status, 200);
  EXPECT_EQ(get("/v1/snapshot?topics=a.*", "", kOneOfMany).status, 200);
  const HttpReply over = get("/v1/snapshot?topics=a.*", "", kOneOfMany);
  EXPECT_EQ(over.status, 429);
  EXPECT_NE(over.head.find("Retry-After: "), std::string::npos);
  EXPECT_NE(over.body.find("retry_after_ms"), std::string::npos);
  EXPECT_EQ(get("/v1/snapshot/a", "", kOneOfMany).status, 200) << "that is no list";
}

}  // namespace
}  // namespace tickwire
