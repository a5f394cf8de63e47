#include "net/http_router.h"

#include <string>
#include <string_view>

#include "protocol/command.h"
#include "router_site.h"

namespace tickwire {
namespace {

using nlohmann::json;

TEST(HttpRouter, SnapshotIsTheImageByteForByte) {
  RouterSite site;
  site.publish("ticker.A", R"({"last":"0.10","n":1.00})");
  site.publish("ticker.A", R"({"n":1e5})");
  const HttpResponse response = site.get("/v1/snapshot/ticker.A");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(RouterSite::body(response),
            R"({"topic":"ticker.A","epoch":"e1","seq":2,"ts":1790000000000,"status":"live",)"
            R"("data":{"last":"0.10","n":1e5}})");
  EXPECT_EQ(response.body_bytes(), RouterSite::body(response).size());
}

TEST(HttpRouter, SnapshotRefusals) {
  RouterSite site;
  site.publish("guarded.A", "{}");
  site.publish("secret.A", "{}");
  const auto refused = [&](const std::string& topic) {
    const HttpResponse response = site.get("/v1/snapshot/" + topic);
    return std::to_string(response.status) + " " + error_code(response);
  };
  EXPECT_EQ(refused("ticker.NONE"), "404 unknown_topic");
  EXPECT_EQ(refused(""), "400 bad_topic");
  EXPECT_EQ(refused("no such topic"), "400 bad_topic");
  EXPECT_EQ(refused("ticker.*"), "400 bad_topic");
  EXPECT_EQ(refused(std::string(200, 'x')), "404 unknown_topic");
  EXPECT_EQ(refused(std::string(201, 'x')), "400 bad_topic");
  EXPECT_EQ(refused("guarded.A"), "403 denied");
  EXPECT_EQ(refused("secret.A"), "403 denied");
  EXPECT_EQ(refused("secret.NONE"), "403 denied");
}

TEST(HttpRouter, TopicsComeInPagesByName) {
  RouterSite site;
  for (const char* topic : {"b.1", "a.2", "a.1", "a.3"}) site.publish(topic, "{}");
  const json first =
      json::parse(RouterSite::body(site.get("/v1/topics", {{"pattern", "a.*"}, {"limit", "2"}})));
  EXPECT_EQ(first, json::parse(R"({"topics":[{"topic":"a.1","seq":1,"ts":1790000000000,"status":"live"},
                                             {"topic":"a.2","seq":1,"ts":1790000000000,"status":"live"}],
                                   "next":"a.2"})"));
  const json second = json::parse(
      RouterSite::body(site.get("/v1/topics", {{"pattern", "a.*"}, {"limit", "2"}, {"after", "a.2"}})));
  EXPECT_EQ(second.at("topics").size(), 1U);
  EXPECT_EQ(second.at("next"), nullptr);
  const json exact =
      json::parse(RouterSite::body(site.get("/v1/topics", {{"pattern", "a.*"}, {"limit", "3"}})));
  EXPECT_EQ(exact.at("next"), nullptr);
}

TEST(HttpRouter, APageOfALargeDirectoryIsMadeInPieces) {
  RouterSite site;
  for (int i = 0; i < 30'000; ++i) site.publish("t.x" + std::to_string(i), R"({"n":1})");
  site.publish("z.last", R"({"n":1})");
  EXPECT_EQ(RouterSite::body(site.get("/v1/topics", {{"pattern", "*.none"}})),
            R"({"topics":[],"next":null})");
  EXPECT_GT(site.pieces_made, 5);
  const auto found = nlohmann::json::parse(RouterSite::body(site.get("/v1/topics", {{"pattern", "*.last"}})));
  EXPECT_EQ(found["topics"][0]["topic"], "z.last");
  EXPECT_EQ(found["next"], nullptr);
}

TEST(HttpRouter, AnEmptyListOfTopicsIsAList) {
  RouterSite site;
  EXPECT_EQ(RouterSite::body(site.get("/v1/topics")), R"({"topics":[],"next":null})");
}

TEST(HttpRouter, GuardedTopicsAreNotListed) {
  RouterSite site;
  for (const char* topic : {"guarded.A", "open.A", "secret.A"}) site.publish(topic, "{}");
  const json listed = json::parse(RouterSite::body(site.get("/v1/topics")));
  ASSERT_EQ(listed.at("topics").size(), 1U);
  EXPECT_EQ(listed.at("topics")[0].at("topic"), "open.A");
  const json page = json::parse(RouterSite::body(site.get("/v1/topics", {{"limit", "1"}})));
  EXPECT_EQ(page.at("topics"), listed.at("topics"));
  EXPECT_EQ(page.at("next"), nullptr) << "nor does next say that guarded ones follow";
}

TEST(HttpRouter, LimitIsCheckedAtItsEnds) {
  RouterSite site;
  const auto status = [&](const std::string& limit) {
    return site.get("/v1/topics", {{"limit", limit}}).status;
  };
  EXPECT_EQ(status("1"), 200);
  EXPECT_EQ(status(std::to_string(kListTopicsMax)), 200);
  EXPECT_EQ(status(""), 200);
  EXPECT_EQ(status("0"), 400);
  EXPECT_EQ(status(std::to_string(kListTopicsMax + 1)), 400);
  EXPECT_EQ(status("-1"), 400);
  EXPECT_EQ(status("1x"), 400);
  EXPECT_EQ(error_code(site.get("/v1/topics", {{"pattern", "a..b"}})), "bad_topic");
}

TEST(HttpRouter, SessionsAreNotToldHereButItIsSaidWhere) {
  RouterSite site;
  HttpRequest request;
  request.method = "GET";
  request.path = "/v1/sessions";
  request.host = "127.0.0.1";
  const HttpResponse refused = site.answer(request);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(error_code(refused), "denied");
  EXPECT_NE(RouterSite::body(refused).find("admin.listen"), std::string::npos);
  EXPECT_EQ(refused.readers, Readers::kNoPage);
}

TEST(HttpRouter, HealthIs503WhileALoopStandsStill) {
  RouterSite site;
  EXPECT_EQ(site.get("/health").status, 200);
  site.health.well = false;
  EXPECT_EQ(site.get("/health").status, 503);
}

TEST(HttpRouter, ReadyIs503BeforeItServesAndWhileItDrains) {
  RouterSite site;
  const HttpResponse ready = site.get("/ready");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(RouterSite::body(ready), R"({"status":"ready"})");
  site.health.serving = false;
  EXPECT_EQ(site.get("/ready").status, 503);
  EXPECT_EQ(RouterSite::body(site.get("/ready")), R"({"status":"starting"})");
  site.health.serving = true;
  HttpRequest request;
  request.method = "HEAD";
  request.path = "/ready";
  const HttpResponse draining = site.answer(request, true);
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(RouterSite::body(draining), R"({"status":"draining"})");
}

TEST(HttpRouter, FilesAreFreshAndTagged) {
  RouterSite site;
  const HttpResponse page = site.get("/");
  EXPECT_EQ(RouterSite::body(page), "<p>");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(site.get("/app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(site.get("/index.html").status, 200);
  EXPECT_EQ(site.get("/index").status, 200);
  EXPECT_EQ(site.get("/index").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(site.get("/app").status, 404);
  EXPECT_EQ(site.get("/missing.js").status, 404);
  EXPECT_EQ(site.get("/ws").status, 404);

  HttpRequest again;
  again.method = "GET";
  again.path = "/app.js";
  again.if_none_match = "\"t1\"";
  EXPECT_EQ(site.answer(again).status, 304);
  again.if_none_match = "\"t0\"";
  EXPECT_EQ(site.answer(again).status, 200);
}

TEST(HttpRouter, OnlyGetAndHeadWithoutABody) {
  RouterSite site;
  HttpRequest request;
  request.path = "/health";
  for (const char* method : {"", "POST", "get"}) {
    request.method = method;
    EXPECT_EQ(site.answer(request).status, 405) << method;
  }
  request.method = "HEAD";
  EXPECT_EQ(site.answer(request).status, 200);
  request.has_body = true;
  EXPECT_EQ(site.answer(request).status, 400);
}

TEST(HttpRouter, WhileDrainingOnlyHealthHasSomethingToSay) {
  RouterSite site;
  site.publish("ticker.A", "{}");
  HttpRequest request;
  request.method = "GET";
  for (const char* path : {"/", "/v1/topics", "/v1/sessions", "/v1/snapshot/ticker.A"}) {
    request.path = path;
    const HttpResponse response = site.answer(request, true);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(error_code(response), "draining") << path;
  }
  request.path = "/health";
  const HttpResponse health = site.answer(request, true);
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(RouterSite::body(health), R"({"status":"ok"})");
}

}  // namespace
}  // namespace tickwire
