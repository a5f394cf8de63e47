// What is read over HTTP of many topics at once, of the past, and what caches may keep of it.
#include "net/http_reads.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocol/command.h"
#include "router_site.h"

namespace tickwire {
namespace {

using nlohmann::json;

struct Reads : testing::Test {
  json read(const std::string& path, std::vector<std::pair<std::string, std::string>> query = {}) {
    last = site.get(path, std::move(query));
    return json::parse(RouterSite::body(last));
  }
  // "a.1 3" or "a.1 unknown_topic" for each result.
  std::vector<std::string> snapshots(const std::string& topics, const std::string& after = "",
                                     const std::string& limit = "") {
    const json body = read("/v1/snapshot", {{"topics", topics}, {"after", after}, {"limit", limit}});
    next = body.at("next").is_null() ? "" : body.at("next").get<std::string>();
    std::vector<std::string> out;
    for (const json& result : body.at("results")) {
      const bool wrong = result.contains("error");
      out.push_back(result.at("topic").get<std::string>() + " " +
                    (wrong ? result.at("error").at("code").get<std::string>()
                           : std::to_string(result.at("seq").get<int>())));
    }
    return out;
  }
  [[nodiscard]] bool is_public() const {
    return last.headers.find("Cache-Control: public, max-age=1\r\nVary: Origin\r\n") != std::string::npos;
  }
  [[nodiscard]] bool is_private() const {
    return last.headers.find("Cache-Control: private, no-store\r\n") != std::string::npos;
  }

  RouterSite site;
  HttpResponse last;
  std::string next;
};

using Lines = std::vector<std::string>;

TEST_F(Reads, ManyTopicsComeInTheOrderOfTheRequestEachOnce) {
  for (const char* topic : {"a.2", "b.1", "a.1", "c"}) site.publish(topic, R"({"n":1.00})");
  site.publish("c", R"({"m":"0.10"})");
  EXPECT_EQ(snapshots("c,a.*,b.1,a.1,none,not a topic"),
            (Lines{"c 2", "a.1 1", "a.2 1", "b.1 1", "none unknown_topic", "not a topic bad_topic"}));
  EXPECT_EQ(next, "");
  EXPECT_EQ(RouterSite::body(site.get("/v1/snapshot", {{"topics", "c"}})),
            R"({"epoch":"e1","results":[{"topic":"c","seq":2,"ts":1790000000000,"status":"live",)"
            R"("data":{"n":1.00,"m":"0.10"}}],"next":null})");
}

TEST_F(Reads, PagesLeadToEachTopicOnce) {
  for (const char* topic : {"a.1", "a.2", "a.3", "b"}) site.publish(topic, "{}");
  EXPECT_EQ(snapshots("b,a.*,a.2,none", "", "2"), (Lines{"b 1", "a.1 1"}));
  EXPECT_EQ(snapshots("b,a.*,a.2,none", next, "2"), (Lines{"a.2 1", "a.3 1"}));
  EXPECT_EQ(snapshots("b,a.*,a.2,none", next, "2"), (Lines{"none unknown_topic"}));
  EXPECT_EQ(next, "");
  for (const char* wrong : {"9", "x", "0:no topic", "-1", "1x"}) {
    EXPECT_EQ(site.get("/v1/snapshot", {{"topics", "b,a.*"}, {"after", wrong}}).status, 400) << wrong;
  }
}

TEST_F(Reads, APageEndsWithItsBytesButHasATopicWhateverItsSize) {
  const std::string large = R"({"x":")" + std::string(kGetBytesMax - 200, 'x') + "\"}";
  site.publish("a.1", R"({"n":1})");
  site.publish("a.2", large);
  site.publish("a.3", large);
  EXPECT_EQ(snapshots("a.*"), (Lines{"a.1 1"}));
  EXPECT_EQ(snapshots("a.*", next), (Lines{"a.2 1"}));
  EXPECT_EQ(snapshots("a.*", next), (Lines{"a.3 1"}));
  EXPECT_EQ(next, "");
}

TEST_F(Reads, ThousandsOfTopicsAreReadInPieces) {
  std::string names;
  for (int i = 0; i < 4'000; ++i) {
    const std::string name = "t.x" + std::to_string(i);
    site.publish(name, R"({"n":1})");
    names += name + ",";
  }
  EXPECT_EQ(snapshots(names).size(), 4'000U);
  EXPECT_GT(site.pieces_made, 3);
  EXPECT_EQ(snapshots("t.*").size(), 4'000U);
}

TEST_F(Reads, PatternsHaveALimitInOneRequest) {
  std::string patterns;
  for (int i = 0; i < 100; ++i) patterns += "a" + std::to_string(i) + ".*,";
  EXPECT_EQ(snapshots(patterns), Lines{});
  EXPECT_EQ(snapshots(patterns + "b.*"), Lines{"b.* too_many"});
}

TEST_F(Reads, WhatIsGuardedIsRefusedByItself) {
  site.publish("guarded.a", "{}");
  site.publish("open", "{}");
  EXPECT_EQ(snapshots("open,guarded.*,secret.x"), (Lines{"open 1", "guarded.* denied", "secret.x denied"}));
  EXPECT_TRUE(is_private());
  site.guards_allow = true;
  EXPECT_EQ(snapshots("open,guarded.*"), (Lines{"open 1", "guarded.a 1"}));
  EXPECT_TRUE(is_private());
}

TEST_F(Reads, OnlyWhatNobodyGuardsAndNoTokenAsksForIsForCaches) {
  site.publish("open", "{}");
  site.publish("guarded.a", "{}");
  site.guards_allow = true;
  for (const char* path : {"/v1/snapshot/open", "/v1/history/open", "/v1/topics"}) {
    read(path);
    EXPECT_TRUE(is_public()) << path;
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.anonymous = false;
    last = site.answer(request);
    EXPECT_EQ(last.status, 200);
    EXPECT_TRUE(is_private()) << path;
  }
  EXPECT_EQ(snapshots("open"), Lines{"open 1"});
  EXPECT_TRUE(is_public());
  for (const char* path : {"/v1/snapshot/guarded.a", "/v1/history/guarded.a", "/v1/snapshot/none"}) {
    read(path);
    EXPECT_TRUE(is_private()) << path;
  }
}

TEST_F(Reads, IdenticalRequestsAreIdenticalBytes) {
  site.publish("open", R"({"n":1})");
  for (const char* path : {"/v1/snapshot/open", "/v1/history/open", "/v1/topics"}) {
    const HttpResponse first = site.get(path);
    site.clock.advance_ms(100);
    const HttpResponse second = site.get(path);
    EXPECT_EQ(response_head(first) + RouterSite::body(first),
              response_head(second) + RouterSite::body(second));
  }
}

TEST_F(Reads, ATagTellsWhetherAStateIsKnown) {
  site.publish("t", R"({"n":1})");
  const auto tag_of = [](const HttpResponse& response) {
    const std::size_t begin = response.headers.find("ETag: ") + 6;
    return response.headers.substr(begin, response.headers.find("\r\n", begin) - begin);
  };
  const std::string tag = tag_of(site.get("/v1/snapshot/t"));
  const auto status = [&](const std::string& known) {
    HttpRequest request;
    request.method = "GET";
    request.path = "/v1/snapshot/t";
    request.if_none_match = known;
    last = site.answer(request);
    return last.status;
  };
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    EXPECT_EQ(status(known), 304) << known;
    EXPECT_EQ(last.body_bytes(), 0U);
    EXPECT_EQ(tag_of(last), tag);
  }
  EXPECT_EQ(status("\"other\""), 200);
  ASSERT_TRUE(site.hub.set_status("t", TopicStatus::kHalted));
  EXPECT_EQ(status(tag), 200) << "its status is another one";
}

TEST_F(Reads, HistoryIsWhatTheRingKeepsOldestFirst) {
  for (int i = 1; i <= 100; ++i) site.publish("t", R"({"n":)" + std::to_string(i) + "}");
  const auto seqs = [&](std::vector<std::pair<std::string, std::string>> query) {
    const json body = read("/v1/history/t", std::move(query));
    std::string out;
    for (const json& update : body.at("updates")) {
      EXPECT_EQ(update.at("data").at("n"), update.at("seq"));
      out += out.empty() ? update.at("seq").dump() + "-" : "";
    }
    if (!body.at("updates").empty()) out += body.at("updates").back().at("seq").dump();
    if (body.contains("recovered")) out += body.at("recovered").get<bool>() ? " recovered" : " lost";
    return out;
  };
  EXPECT_EQ(seqs({}), "37-100") << "64 are kept";
  EXPECT_EQ(seqs({{"last", "3"}}), "98-100");
  EXPECT_EQ(seqs({{"last", "1000"}}), "37-100");
  EXPECT_EQ(seqs({{"since", "98"}}), "99-100 recovered");
  EXPECT_EQ(seqs({{"since", "36"}}), "37-100 recovered");
  EXPECT_EQ(seqs({{"since", "35"}}), "37-100 lost");
  EXPECT_EQ(seqs({{"since", "100"}}), " recovered");
  EXPECT_EQ(seqs({{"since", "101"}}), "37-100 lost") << "it is of another history";
  EXPECT_EQ(seqs({{"since", "98"}, {"epoch", "e1"}}), "99-100 recovered");
  EXPECT_EQ(seqs({{"since", "98"}, {"epoch", "e0"}}), "37-100 lost");
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(site.get("/v1/history/none").status, 404);
  EXPECT_EQ(site.get("/v1/history/guarded.a").status, 403);
  for (const auto& [name, value] : std::multimap<std::string, std::string>{
           {"last", "0"}, {"last", "65537"}, {"last", "x"}, {"since", "-1"}, {"since", "1.5"}}) {
    EXPECT_EQ(site.get("/v1/history/t", {{name, value}}).status, 400) << name << value;
  }
  EXPECT_EQ(site.get("/v1/history/t", {{"last", "1"}, {"since", "1"}}).status, 400);
}

TEST_F(Reads, ALongHistoryComesInPagesThatSinceGoesOnWith) {
  const std::string large = R"({"x":")" + std::string(300'000, 'x') + "\"}";
  for (int i = 0; i < 6; ++i) site.publish("t", large);
  std::vector<std::uint64_t> seqs;
  std::string since = "0";
  while (!since.empty()) {
    const json body = read("/v1/history/t", {{"since", since}});
    EXPECT_TRUE(body.at("recovered"));
    EXPECT_LE(RouterSite::body(last).size(), kGetBytesMax + 1'000);
    for (const json& update : body.at("updates")) seqs.push_back(update.at("seq"));
    since = body.at("next").is_null() ? "" : body.at("next").dump();
  }
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace tickwire
