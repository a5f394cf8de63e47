// GET /sse and /poll: the same messages as over a WebSocket, and cursors that go on where a client was.
#include "net/event_stream.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "requests.h"

namespace tickwire {
namespace {

using nlohmann::json;

// Reads a stream of events as a browser does.
class EventReader {
 public:
  EventReader(RequestSessions& site, const std::string& query, const std::string& more = "")
      : client_(site.connect()) {
    client_.send("GET /sse?" + query + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n");
    const HttpReply reply = client_.reply(false);
    status = reply.status;
    head = reply.head;
  }
  // The next event's data; null: the stream has ended.
  json next() {
    std::string data;
    while (const auto line = client_.read_line()) {
      if (line->starts_with("data: ")) data += line->substr(6);
      if (line->starts_with("retry: ")) retry = line->substr(7);
      if (line->starts_with("id: ")) id = line->substr(4);
      if (!line->empty() || data.empty()) continue;
      id.clear();
      return json::parse(data);
    }
    return nullptr;
  }
  // "update a 3", without the welcome.
  std::string heard() {
    const json message = next();
    if (message.is_null()) return "end";
    if (message["type"] == "welcome") return heard();
    std::string text = message["type"].get<std::string>();
    if (message.contains("topic")) text += " " + message["topic"].get<std::string>();
    if (message.contains("seq")) text += " " + message["seq"].dump();
    return text;
  }
  // Until the stream has said where its client is behind the last event.
  std::string cursor() {
    while (id.empty()) {
      const auto line = client_.read_line();
      if (!line) return "end";
      if (line->starts_with("id: ")) id = line->substr(4);
    }
    return id;
  }
  RawClient& client() { return client_; }

  int status = 0;
  std::string head, id, retry;

 private:
  RawClient client_;
};

struct Streams : RequestSessions {
  void publish(const std::string& topic, const std::string& data) {
    ASSERT_TRUE(hub.publish(topic, data).ok());
  }
  json poll(const std::string& query) {
    const HttpReply reply = get("/poll?" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_NE(reply.head.find("private, no-store"), std::string::npos);
    return json::parse(reply.body);
  }
};

TEST_F(Streams, AStreamCarriesTheMessagesOfAWebSocketAsEvents) {
  publish("a", R"({"n":1.00})");
  EventReader reader(*this, "topics=a,b.*,no%20topic");
  EXPECT_EQ(reader.status, 200);
  EXPECT_NE(reader.head.find("text/event-stream"), std::string::npos);
  EXPECT_EQ(reader.next()["type"], "welcome");
  const json ack = reader.next();
  EXPECT_EQ(ack["results"][0]["seq"], 1);
  EXPECT_EQ(ack["results"][2]["error"]["code"], "bad_topic");
  EXPECT_EQ(reader.heard(), "snapshot a 1");
  EXPECT_FALSE(reader.retry.empty());
  publish("a", "{\r\n \"n\": 2,\n \"s\":\"x\\ny\"}");
  const json update = reader.next();
  EXPECT_EQ(update["seq"], 2);
  EXPECT_EQ(update["data"]["s"], "x\ny");
  publish("b.1", "{}");
  EXPECT_EQ(reader.heard(), "update b.1 1");
}

TEST_F(Streams, AStreamGoesOnWhereItsClientWas) {
  publish("a", R"({"n":1})");
  publish("b.1", R"({"n":1})");
  std::string cursor;
  {
    EventReader reader(*this, "topics=a,b.*");
    EXPECT_EQ(reader.heard(), "ack");
    reader.heard();
    reader.heard();
    cursor = reader.cursor();
  }
  EXPECT_EQ(cursor, "e1,a=1,b.1=1");
  publish("a", R"({"n":2})");
  publish("b.1", R"({"n":2})");
  publish("b.2", R"({"n":1})");
  EventReader again(*this, "topics=a,b.*", "Last-Event-ID: " + cursor + "\r\n");
  again.next();
  const json ack = again.next();
  EXPECT_EQ(ack["results"][0]["recovered"], true);
  EXPECT_EQ(ack["results"][0]["missed"], 1);
  EXPECT_EQ(ack["results"][1]["recovered"], true);
  std::set<std::string> heard;
  for (int i = 0; i < 5; ++i) heard.insert(again.heard());
  EXPECT_EQ(heard, (std::set<std::string>{"update a 2", "status a 2", "update b.1 2", "status b.1 2",
                                          "snapshot b.2 1"}));
}

TEST_F(Streams, TheFirstEventsOfAStreamThatWasAwayAreNotLost) {
  hub.set_rules({{.pattern = "trade.>", .delivery = Delivery::kEvent}});
  std::string cursor;
  {
    EventReader reader(*this, "topics=trade.a");
    EXPECT_EQ(reader.heard(), "ack");
    cursor = reader.cursor();
  }
  EXPECT_EQ(cursor, "e1,trade.a=0") << "though nothing has come";
  publish("trade.a", R"({"n":1})");
  publish("trade.a", R"({"n":2})");
  EventReader again(*this, "topics=trade.a", "Last-Event-ID: " + cursor + "\r\n");
  again.next();
  EXPECT_EQ(again.next()["results"][0]["recovered"], true);
  EXPECT_EQ(again.heard(), "update trade.a 1");
  EXPECT_EQ(again.heard(), "update trade.a 2");
}

TEST_F(Streams, ACursorThatCameIsNotReplacedBeforeItsTopicsAreThere) {
  access.authenticator = true;
  publish("guarded.a", "{}");
  EventReader reader(*this, "topics=guarded.a&token=t1", "Last-Event-ID: e1,guarded.a=1\r\n");
  answer(question(), Ruling::kAllow, R"({"name":"x"})");
  EXPECT_EQ(reader.next()["type"], "welcome");
  EXPECT_EQ(reader.heard(), "ack") << "of the token";
  const AccessQuestion asked = question();
  EXPECT_EQ(reader.id, "");
  answer(asked, Ruling::kAllow);
  EXPECT_EQ(reader.next()["results"][0]["recovered"], true);
  EXPECT_EQ(reader.cursor(), "e1,guarded.a=1");
}

TEST_F(Streams, ACursorThatDoesNotFitIsSaid) {
  publish("a", R"({"n":1})");
  for (const std::string cursor : {"e0,a=1", "e1", "e1,a=9", "nonsense;", "e1,a=x"}) {
    EventReader reader(*this, "topics=a", "Last-Event-ID: " + cursor + "\r\n");
    reader.next();
    EXPECT_EQ(reader.next()["results"][0]["recovered"], false) << cursor;
    EXPECT_EQ(reader.heard(), "snapshot a 1") << cursor;
  }
}

TEST_F(Streams, AStreamIsRefusedAsAWebSocketIs) {
  EXPECT_EQ(get("/sse").status, 400);
  EXPECT_EQ(get("/sse?topics=").status, 400);
  EXPECT_EQ(get("/sse?topics=a&max_rate=x").status, 400);
  EXPECT_EQ(get("/sse?topics=a", "Origin: https://theirs\r\n").status, 403);
  const HttpReply wrong = get("/sse?topics=a&max_rate=5000");
  EXPECT_EQ(wrong.status, 400) << "and not a stream that nobody can say anything to";
  EXPECT_EQ(json::parse(wrong.body)["error"]["field"], "max_rate");
}

TEST_F(Streams, ATokenIsJudgedAndGuardsAreAsked) {
  access.authenticator = true;
  publish("guarded.a", "{}");
  EventReader reader(*this, "topics=guarded.a&token=t1");
  answer(question(), Ruling::kAllow, R"({"name":"x"})");
  const AccessQuestion asked = question();
  EXPECT_EQ(asked.client->claims, R"({"name":"x"})");
  answer(asked, Ruling::kAllow);
  reader.next();
  EXPECT_EQ(reader.heard(), "ack") << "of the token";
  EXPECT_EQ(reader.heard(), "ack");
  EXPECT_EQ(reader.heard(), "snapshot guarded.a 1");
}

TEST_F(Streams, OneThatLeavesLeavesNothingBehindAndOneThatStaysIsToldOfTheEnd) {
  {
    EventReader reader(*this, "topics=a");
    EXPECT_EQ(reader.heard(), "ack");
  }
  EXPECT_TRUE(sessions_are(0));
  EventReader reader(*this, "topics=a");
  EXPECT_EQ(reader.heard(), "ack");
  loop.drain(0);
  EXPECT_EQ(reader.heard(), "drain");
  EXPECT_EQ(reader.retry, "0");
  EXPECT_EQ(reader.heard(), "close");
  EXPECT_EQ(reader.heard(), "end");
}

// --- the long poll --------------------------------------------------------------------------------------

TEST_F(Streams, APollAnswersAtOnceWithWhatChangedAndElseWaits) {
  publish("a", R"({"n":1})");
  json first = poll("topics=a,b.*");
  EXPECT_EQ(first["results"].size(), 2U);
  EXPECT_EQ(first["messages"].size(), 1U);
  EXPECT_EQ(first["messages"][0]["type"], "snapshot");
  EXPECT_EQ(first["cursor"], "e1,a=1");
  publish("a", R"({"n":2})");
  json second = poll("topics=a,b.*&cursor=e1,a=1");
  EXPECT_EQ(second["results"][0]["recovered"], true);
  ASSERT_EQ(second["messages"].size(), 2U) << second;
  EXPECT_EQ(second["messages"][1]["type"], "status");
  EXPECT_EQ(second["messages"][0]["seq"], 2);
  EXPECT_EQ(second["cursor"], "e1,a=2");
  const json none = poll("topics=a,b.*&cursor=e1,a=2&wait=0");
  EXPECT_EQ(none["messages"], json::array());
  EXPECT_EQ(none["cursor"], "e1,a=2");
  RawClient waiting = connect();
  waiting.send("GET /poll?topics=a,b.*&cursor=e1,a=2&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(sessions_are(1));
  publish("b.1", R"({"n":1})");
  const json late = json::parse(waiting.reply().body);
  EXPECT_EQ(late["messages"].size(), 1U);
  EXPECT_EQ(late["cursor"], "e1,a=2,b.1=1");
  EXPECT_TRUE(sessions_are(0));
}

TEST_F(Streams, APollThatWaitedInVainSaysSo) {
  const json none = poll("topics=a&wait=1");
  EXPECT_EQ(none["messages"], json::array());
  EXPECT_EQ(none["cursor"], "e1");
  EXPECT_EQ(get("/poll?topics=a&wait=61").status, 400);
  EXPECT_EQ(get("/poll").status, 400);
}

TEST_F(Streams, APollTellsOfAStatusThatItsCursorDoesNotKnow) {
  publish("a", "{}");
  EXPECT_EQ(poll("topics=a")["cursor"], "e1,a=1");
  ASSERT_TRUE(hub.set_status("a", TopicStatus::kHalted));
  const json told = poll("topics=a&cursor=e1,a=1");
  EXPECT_EQ(told["messages"][0]["type"], "status");
  EXPECT_EQ(told["cursor"], "e1,a=1h");
  EXPECT_EQ(poll("topics=a&cursor=e1,a=1h&wait=0")["messages"], json::array());
}

}  // namespace
}  // namespace tickwire
