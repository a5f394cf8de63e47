// Keys as people write them, variables as platforms set them, origins as browsers send them.
#include <nlohmann/json.hpp>
#include "config_fixture.h"

namespace tickwire {
namespace {

Result<Config> load_environment(std::vector<std::pair<std::string, std::string>> environment) {
  return load_config({.file = {}, .environment = std::move(environment), .overrides = {}, .sets = {}});
}

TEST(Config, IgnoresVariablesOfOthersThatBeginAsOursDo) {
  const auto config = load_environment({{"TICKWIRE_SERVICE_HOST", "10.96.0.7"},
                                        {"TICKWIRE_PORT", "tcp://10.96.0.7:8080"},
                                        {"TICKWIRE_PORT_8080_TCP_PROTO", "tcp"},
                                        {"TICKWIRE__A_SERVICE_PORT", "8080"},
                                        {"TICKWIRE_URL", "ws://x"},
                                        {"TICKWIRE_TOKEN", "t"},
                                        {"TICKWIRE_", ""},
                                        {"TICKWIRE_SERVER_LISTEN", "x:1"}});
  ASSERT_TRUE(config) << config.error().message;
  for (const ConfigEntry& entry : config_entries(*config)) EXPECT_EQ(entry.source, "default") << entry.key;
}

TEST(Config, NamesTheNearestForAVariableOfAnUnknownSection) {
  EXPECT_EQ(message_of(load_environment({{"TICKWIRE_SERVR__LISTEN", "x:1"}})),
            "env TICKWIRE_SERVR__LISTEN: servr.listen is not a known key; did you mean server.listen?");
  EXPECT_EQ(
      message_of(load_environment({{"TICKWIRE_PLUGIN__OKX__URL", "x"}})),
      "env TICKWIRE_PLUGIN__OKX__URL: plugin.okx.url is not a known key; did you mean plugins.okx.url?");
  EXPECT_EQ(message_of(load_environment({{"TICKWIRE_SERVER__LISEN", "x:1"}})),
            "env TICKWIRE_SERVER__LISEN: server.lisen is not a known key; did you mean server.listen?");
  EXPECT_TRUE(message_of(load_environment({{"TICKWIRE_SERVER__", "x:1"}}))
                  .starts_with("env TICKWIRE_SERVER__: \"server.\" is not a key"));
}

// One setting in every way of writing its key, from every source: all of them mean the same.
TEST_F(ConfigFile, ReadsEveryWayOfWritingAKeyFromEverySource) {
  const auto check = [](const Result<Config>& config, const std::string& from) {
    ASSERT_TRUE(config) << from << ": " << config.error().message;
    EXPECT_EQ(config->shards, 3) << from;
    EXPECT_EQ(config->plugins.at("okx"), R"({"url":"x"})") << from;
    EXPECT_EQ(config->topics.at("trade.>").delivery, Delivery::kEvent) << from;
    EXPECT_NE(entry_of(*config, "topics.\"trade.>\".delivery").source, "default") << from;
    EXPECT_NE(entry_of(*config, "plugins.okx.url").source, "default") << from;
  };
  for (
      const std::string& tree : std::vector<std::string>{
          R"({"server":{"shards":3},"plugins":{"okx":{"url":"x"}},"topics":{"trade.>":{"delivery":"event"}}})",
          R"({"server.shards":3,"plugins.okx.url":"x","topics.trade.>.delivery":"event"})",
          R"({"server.shards":3,"plugins.okx":{"url":"x"},"topics.\"trade.>\".delivery":"event"})",
          R"({"\"server\".shards":3,"plugins":{"okx.url":"x"},"topics.'trade.>'":{"delivery":"event"}})",
          R"({"server":{"shards":3},"plugins.\"okx\".url":"x","topics":{"trade.>.delivery":"event"}})",
          R"({"server":{"shards":3},"plugins.okx.url":"x","topics":{"\"trade.>\".delivery":"event"}})",
          R"({"server":{"shards":3},"plugins.okx.url":"x","topics.trade":{">":{"delivery":"event"}}})"}) {
    check(load_config({.file = {}, .environment = {}, .overrides = tree, .sets = {}}), tree);
  }
  for (const std::string& text : std::vector<std::string>{
           "[server]\nshards = 3\n[plugins.okx]\nurl = 'x'\n[topics.'trade.>']\ndelivery = 'event'\n",
           "server.shards = 3\nplugins.okx.url = 'x'\ntopics.\"trade.>\".delivery = 'event'\n",
           "'server.shards' = 3\n'plugins.okx.url' = 'x'\n'topics.trade.>.delivery' = 'event'\n"}) {
    check(load(text), text);
  }
  for (const std::string topics :
       {"topics.trade.>.delivery", "topics.\"trade.>\".delivery", "topics.'trade.>'.delivery"}) {
    check(load_sets({"server.shards=3", "plugins.okx.url=x", topics + "=event"}), topics);
  }
  for (const std::string topics :
       {"TICKWIRE_TOPICS__\"trade.>\"__DELIVERY", "TICKWIRE_TOPICS__trade__>__DELIVERY"}) {
    check(load_environment(
              {{"TICKWIRE_SERVER__SHARDS", "3"}, {"TICKWIRE_PLUGINS__OKX__URL", "x"}, {topics, "event"}}),
          topics);
  }
}

TEST(Config, LeavesThePluginsOwnNamesAsTheyStand) {
  const auto config = load_config({.file = {},
                                   .environment = {},
                                   .overrides = R"({"plugins": {"p": {"a.b": 1, "c": {"d.e": {}}, "": 2}}})",
                                   .sets = {"plugins.p.\"f.g\"=3", "plugins.p.\"h=i\"=4"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->plugins.at("p"), R"({"":2,"a.b":1,"c":{"d.e":{}},"f.g":3,"h=i":4})");
  EXPECT_EQ(entry_of(*config, "plugins.p.\"f.g\"").source, "--set");
  EXPECT_EQ(entry_of(*config, "plugins.p.\"a.b\"").source, "overrides");
}

TEST(Config, RefusesWhatIsNoKeyAndNamesItsSource) {
  for (const std::string key :
       {"server..listen", ".server", "server.", "\"server", "server.\"\"", "a\"b\".c"}) {
    EXPECT_TRUE(message_of(load_sets({key + "=1"})).starts_with("--set: ")) << key;
    const std::string tree = nlohmann::json{{key, 1}}.dump();
    const std::string message =
        message_of(load_config({.file = {}, .environment = {}, .overrides = tree, .sets = {}}));
    EXPECT_TRUE(message.starts_with("overrides: ") && message.find("is not a key") != std::string::npos)
        << message;
  }
}

TEST(Config, TakesWebOriginsAsBrowsersSendThem) {
  const auto config = load_sets(
      {R"(server.origins=["https://a.example/", "HTTP://B.Example:80", "https://c:8443", "null", "http://[::1]:8080",
          "https://d.example:443/", "chrome-extension://abc", "https://*.E.example:443", "same-host", "*"])"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->origins,
            (std::vector<std::string>{"https://a.example", "http://b.example", "https://c:8443", "null",
                                      "http://[::1]:8080", "https://d.example", "chrome-extension://abc",
                                      "https://*.e.example", "same-host", "*"}));
}

TEST(Config, RefusesAnOriginThatNoBrowserSends) {
  for (const std::string text : {"",
                                 "a.example",
                                 "https://",
                                 "https:///",
                                 "https://a.example/x",
                                 "https://a.example?x",
                                 "https://a.example#",
                                 "https://u@a.example",
                                 "https://a.*.example",
                                 "https://*",
                                 "https://*.",
                                 "*.a.example",
                                 "same-site",
                                 "https://a.example:0",
                                 "https://a.example:65536",
                                 "https://a:",
                                 "https://b\u00fccher.example",
                                 "https://a b",
                                 "https://[::1",
                                 "://a",
                                 "https://a.example//"}) {
    const std::string message = message_of(load_sets({"server.origins=[\"" + text + "\"]"}));
    EXPECT_TRUE(message.starts_with("--set: server.origins: \"" + text + "\" ")) << message;
  }
}

}  // namespace
}  // namespace tickwire
