#include "engine/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "config_fixture.h"
#include "engine/config_keys.h"
#include "engine/toml_text.h"

namespace tickwire {
namespace {

using ::testing::TestWithParam;

TEST(Config, WithoutAnySourceHasTheDefaults) {
  const auto config = load_config({});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen.texts, std::vector<std::string>{"127.0.0.1:8080"});
  EXPECT_EQ(config->store_path, "");
  EXPECT_EQ(config->origins, std::vector<std::string>{"same-host"});
  for (const ConfigEntry& entry : config_entries(*config)) EXPECT_EQ(entry.source, "default") << entry.key;
}

TEST(Config, EveryDefaultIsAllowed) {
  const Config defaults;
  for (const auto& key : config_keys()) {
    Config config;
    EXPECT_TRUE(write_value(key, config, read_value(key, defaults))) << key.name;
  }
  for (const auto& key : topic_keys()) {
    TopicSettings settings;
    EXPECT_TRUE(write_value(key, settings, read_value(key, TopicSettings{}))) << key.name;
  }
}

TEST(Config, EveryNumberTakesItsLimitsAndRefusesOnePast) {
  for (const auto& key : config_keys()) {
    if (key.range.min == key.range.max) continue;
    const bool whole = allowed_values(key).starts_with("an integer");
    const auto number = [whole](double value) {
      return whole ? nlohmann::json(static_cast<std::int64_t>(value)) : nlohmann::json(value);
    };
    const double step = whole ? 1 : 0.001;
    Config config;
    EXPECT_TRUE(write_value(key, config, number(key.range.min))) << key.name;
    EXPECT_TRUE(write_value(key, config, number(key.range.max))) << key.name;
    EXPECT_FALSE(write_value(key, config, number(key.range.min - step))) << key.name;
    EXPECT_FALSE(write_value(key, config, number(key.range.max + step))) << key.name;
    EXPECT_EQ(read_value(key, config), number(key.range.max)) << key.name << " changed by a refused value";
  }
}

TEST_F(ConfigFile, GivesEachValueItsSource) {
  std::ofstream(path_) << "[server]\nshards = 2\ndrain_s = 7\nheartbeat_s = 20\n";
  const auto config = load_config({.file = path_.string(),
                                   .environment = {{"TICKWIRE_SERVER__DRAIN_S", "8"},
                                                   {"TICKWIRE_SERVER__HEARTBEAT_S", "21"},
                                                   {"HOME", "/root"}},
                                   .overrides = R"({"server": {"heartbeat_s": 22, "behind_s": 30}})",
                                   .sets = {"server.behind_s=31"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->shards, 2);
  EXPECT_EQ(entry_of(*config, "server.shards").source, path_.string());
  EXPECT_EQ(config->drain, std::chrono::seconds(8));
  EXPECT_EQ(entry_of(*config, "server.drain_s").source, "env TICKWIRE_SERVER__DRAIN_S");
  EXPECT_EQ(config->heartbeat, std::chrono::seconds(22));
  EXPECT_EQ(entry_of(*config, "server.heartbeat_s").source, "overrides");
  EXPECT_EQ(config->behind, std::chrono::seconds(31));
  EXPECT_EQ(entry_of(*config, "server.behind_s").source, "--set");
  EXPECT_EQ(entry_of(*config, "server.behind_s").unit, "s");
  EXPECT_EQ(entry_of(*config, "store.path").source, "default");
}

TEST_F(ConfigFile, SaysWhereItsSyntaxIsWrong) {
  EXPECT_TRUE(message_of(load("[server]\nlisten = 127.0.0.1\n")).starts_with(path_.string() + ":2:"));
  EXPECT_TRUE(message_of(load("[server\n")).starts_with(path_.string() + ":1:"));
}

TEST(Config, NamesAFileThatCannotBeRead) {
  const auto config =
      load_config({.file = "/no/such/tickwire.toml", .environment = {}, .overrides = {}, .sets = {}});
  EXPECT_EQ(message_of(config), "/no/such/tickwire.toml: the configuration file cannot be read");
  const auto folder = load_config({.file = "/", .environment = {}, .overrides = {}, .sets = {}});
  EXPECT_EQ(message_of(folder), "/: is a folder, not a configuration file");
}

TEST_F(ConfigFile, IsNotWaitedForWhereAFifoIs) {
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const auto config = load_config({.file = path_.string(), .environment = {}, .overrides = {}, .sets = {}});
  EXPECT_EQ(message_of(config), path_.string() + ": is a FIFO, not a configuration file");
}

TEST_F(ConfigFile, HasAtMostOneMebibyte) {
  EXPECT_TRUE(load(std::string(kConfigBytesMax, '#')));
  EXPECT_TRUE(message_of(load(std::string(kConfigBytesMax + 1, '#')))
                  .starts_with(path_.string() + ": is longer than 1048576 bytes"));
}

TEST_F(ConfigFile, NamesTheNearestKeyForAnUnknownOne) {
  EXPECT_EQ(message_of(load("[server]\nlisetn = \"x:1\"\n")),
            path_.string() + ": server.lisetn is not a known key; did you mean server.listen?");
  EXPECT_EQ(message_of(load("[sever]\nlisten = \"x:1\"\n")),
            path_.string() + ": sever.listen is not a known key; did you mean server.listen?");
  EXPECT_EQ(message_of(load("[sotre]\n")),
            path_.string() + ": sotre is not a known table; did you mean store?");
  EXPECT_EQ(
      message_of(load("[topics.\"trade.>\"]\nrong = 5\n")),
      path_.string() + ": topics.\"trade.>\".rong is not a known key; did you mean topics.\"trade.>\".ring?");
  EXPECT_EQ(message_of(load("[plugins]\nfile = [\"a.py\"]\n")),
            path_.string() + ": plugins.file is not a known key; did you mean plugins.files?");
  EXPECT_EQ(message_of(load("[plugins.files]\na = 1\n")),
            path_.string() + ": plugins.files.a is not a known key; did you mean plugins.files?");
  EXPECT_EQ(
      message_of(load("[topic.\"trade.>\"]\nring = 5\n")),
      path_.string() + ": topic.trade.\">\".ring is not a known key; did you mean topics.\"trade.>\".ring?");
}

TEST_F(ConfigFile, NamesKeyValueAndWhatIsAllowed) {
  EXPECT_EQ(message_of(load("[server]\nshards = \"two\"\n")),
            path_.string() + ": server.shards must be an integer from 0 to 32, not \"two\"");
  EXPECT_EQ(message_of(load("[server]\nshards = 33\n")),
            path_.string() + ": server.shards must be an integer from 0 to 32, not 33");
  EXPECT_EQ(message_of(load("[server]\nshards = 1.5\n")),
            path_.string() + ": server.shards must be an integer from 0 to 32, not 1.5");
  EXPECT_EQ(message_of(load("[server]\nshards = true\n")),
            path_.string() + ": server.shards must be an integer from 0 to 32, not true");
  EXPECT_EQ(message_of(load("[server]\nfanout_load = nan\n")),
            path_.string() + ": server.fanout_load must be a number from 0.05 to 1, not \"nan\"");
  EXPECT_EQ(message_of(load("[store]\npath = 1979-05-27\n")), "(no error)")
      << "a date is text to a string key";
  EXPECT_EQ(message_of(load("[plugins]\nfiles = [\"a\", 1]\n")),
            path_.string() + ": plugins.files must be an array of strings, not [\"a\",1]");
  EXPECT_EQ(message_of(load("[auth]\npublish = \"all\"\n")),
            path_.string() + ": auth.publish must be one of none, open, grant, not \"all\"");
  EXPECT_EQ(message_of(load("server = 5\n")), path_.string() + ": server must be a table, not 5");
  EXPECT_EQ(message_of(load("topics = 5\n")), path_.string() + ": topics must be a table, not 5");
  EXPECT_TRUE(
      message_of(load("[topics]\nring = 5\n")).starts_with(path_.string() + ": topics.ring must be a table"));
  EXPECT_EQ(message_of(load("[server]\n[store]\n[topics]\n[plugins]\n")), "(no error)");
}

TEST(Config, TakesSetsAsAShellGivesThem) {
  const auto config =
      load_sets({"server.listen=127.0.0.1:9000", "plugins.coinbase.url=ws://127.0.0.1:1/a?b=c",
                 "plugins.coinbase.products=[\"BTC-USD\", \"ETH-USD\"]", "plugins.replay.speed=10",
                 "plugins.files=feeds/a.py", "topics.trade.>.delivery=event", "topics.\"ticker.*\".ring=8",
                 "store.path=\"quoted name.db\"", "log.level=debug", "server.fanout_load=1"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen.texts, std::vector<std::string>{"127.0.0.1:9000"});
  EXPECT_EQ(config->plugins.at("coinbase"),
            R"({"products":["BTC-USD","ETH-USD"],"url":"ws://127.0.0.1:1/a?b=c"})");
  EXPECT_EQ(config->plugins.at("replay"), R"({"speed":10})");
  EXPECT_EQ(config->plugin_files, std::vector<std::string>{"feeds/a.py"});
  EXPECT_EQ(config->topics.at("trade.>").delivery, Delivery::kEvent);
  EXPECT_EQ(config->topics.at("ticker.*").ring, 8);
  EXPECT_EQ(config->store_path, "quoted name.db");
  EXPECT_EQ(config->fanout_load, 1.0);
  EXPECT_EQ(entry_of(*config, "plugins.coinbase.url").source, "--set");
  EXPECT_EQ(entry_of(*config, "topics.\"trade.>\".delivery").source, "--set");
  EXPECT_EQ(entry_of(*config, "topics.\"trade.>\".ring").source, "default");
}

TEST(Config, KeepsTextThatLooksLikeAnotherTypeForAStringKey) {
  const auto config = load_sets({"store.path=12", "plugins.python_path=true"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->store_path, "12");
  EXPECT_EQ(config->plugin_python_path, "true");
}

TEST(Config, RefusesAnAssignmentThatIsNone) {
  EXPECT_EQ(message_of(load_sets({"server.listen"})), "--set: \"server.listen\" is not key=value");
  EXPECT_EQ(message_of(load_sets({"=x"})), "--set: \"=x\" is not key=value");
  EXPECT_EQ(message_of(load_sets({"server.shards=1\nevil = 2"})),
            "--set: server.shards must be an integer from 0 to 32, not \"1\\nevil = 2\"");
}

TEST(Config, ReadsTheEnvironment) {
  const auto config = load_config({.file = {},
                                   .environment = {{"TICKWIRE_STORE__FLUSH_MS", "500"},
                                                   {"TICKWIRE_PLUGINS__COINBASE__URL", "ws://x"},
                                                   {"TICKWIRE_PLUGINS__FILES", "[\"a.py\", \"b.py\"]"}},
                                   .overrides = {},
                                   .sets = {}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->store_flush, std::chrono::milliseconds(500));
  EXPECT_EQ(config->plugins.at("coinbase"), R"({"url":"ws://x"})");
  EXPECT_EQ(config->plugin_files, (std::vector<std::string>{"a.py", "b.py"}));
  EXPECT_EQ(entry_of(*config, "plugins.coinbase.url").source, "env TICKWIRE_PLUGINS__COINBASE__URL");
}

TEST(Config, TakesOverridesNestedOrDotted) {
  const auto config = load_config({.file = {},
                                   .environment = {},
                                   .overrides = R"({"server.shards": 3, "store": {"path": "a.db"},
                                                    "topics": {"trade.>": {"delivery": "event"}, "ticker.>": {}},
                                                    "plugins": {"p": {"deep": {"er": [1, {"x": null}]}}}})",
                                   .sets = {"plugins.p.deep.other=1"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->shards, 3);
  EXPECT_EQ(config->store_path, "a.db");
  EXPECT_EQ(config->topics.size(), 2U);
  EXPECT_EQ(config->plugins.at("p"), R"({"deep":{"er":[1,{"x":null}],"other":1}})");
  for (const char* wrong : {"[]", "5", "{", "nonsense"}) {
    EXPECT_EQ(message_of(load_config({.file = {}, .environment = {}, .overrides = wrong, .sets = {}})),
              "overrides: must be a JSON object");
  }
}

TEST(Config, RefusesAPatternThatIsNone) {
  EXPECT_TRUE(message_of(load_sets({"topics.a b.ring=5"}))
                  .starts_with("--set: topics.\"a b\" is not a topic or pattern: "));
  EXPECT_FALSE(load_sets({"topics.>.trade.ring=5"}));
}

TEST(Config, OrdersTopicRulesFromSpecificToGeneral) {
  const auto config =
      load_sets({"topics.>.ring=1", "topics.trade.>.ring=2", "topics.*.BTC-USD.ring=3",
                 "topics.trade.*.ring=4", "topics.trade.BTC-USD.ring=5", "topics.trade.ring=6",
                 "topics.trade.>.delivery=event", "topics.trade.>.stale_after_s=1.5"});
  ASSERT_TRUE(config) << config.error().message;
  std::vector<std::string> order;
  const std::vector<TopicRule> rules = topic_rules(*config);
  for (const TopicRule& rule : rules) order.push_back(rule.pattern);
  EXPECT_EQ(order,
            (std::vector<std::string>{"trade.BTC-USD", "trade.*", "trade.>", "trade", "*.BTC-USD", ">"}));
  EXPECT_EQ(rules[2].delivery, Delivery::kEvent);
  EXPECT_EQ(rules[2].ring, 2U);
  EXPECT_EQ(rules[2].stale_after_ms, 1500);
}

struct ListenCase {
  std::string text;
  std::string host;  // empty: refused
  int port;
};
void PrintTo(const ListenCase& listen, std::ostream* out) {
  *out << '"' << listen.text << '"';
}
class Listen : public TestWithParam<ListenCase> {};

TEST_P(Listen, IsHostAndPort) {
  const auto address = parse_listen(GetParam().text);
  ASSERT_EQ(address.ok(), !GetParam().host.empty());
  if (!address) {
    EXPECT_NE(address.error().message.find("\"" + GetParam().text + "\""), std::string::npos);
    EXPECT_EQ(address.error().field, "server.listen");
    return;
  }
  EXPECT_EQ(address->host, GetParam().host);
  EXPECT_EQ(address->port, GetParam().port);
}
INSTANTIATE_TEST_SUITE_P(
    , Listen,
    ::testing::Values(ListenCase{"127.0.0.1:8080", "127.0.0.1", 8080},
                      ListenCase{"localhost:0", "localhost", 0}, ListenCase{"[::1]:65535", "::1", 65535},
                      ListenCase{"127.0.0.1:65536", "", 0}, ListenCase{"127.0.0.1:-1", "", 0},
                      ListenCase{"127.0.0.1:80x", "", 0}, ListenCase{"127.0.0.1:", "", 0},
                      ListenCase{"127.0.0.1", "", 0}, ListenCase{"8080", "", 0}, ListenCase{":8080", "", 0},
                      ListenCase{"::1:8080", "", 0}, ListenCase{"[]:8080", "", 0}, ListenCase{"", "", 0},
                      ListenCase{"http://localhost:80", "localhost", 80},
                      ListenCase{"https://[::1]:443", "::1", 443}, ListenCase{"ws://127.0.0.1:80", "", 0},
                      ListenCase{"https://127.0.0.1:443/", "", 0}, ListenCase{"https://127.0.0.1", "", 0},
                      ListenCase{"[::1]:80?proxy=off", "::1", 80},
                      ListenCase{"http://127.0.0.1:80?proxy=required", "127.0.0.1", 80},
                      ListenCase{"127.0.0.1:80?proxy", "", 0}, ListenCase{"127.0.0.1:80?proxy=v2", "", 0}));

TEST(Config, ListensAtOneAddressOrMany) {
  const auto config = load_sets({R"(server.listen=["127.0.0.1:1", "http://[::1]:2"])"});
  ASSERT_TRUE(config.ok());
  const auto addresses = parse_listens(*config);
  ASSERT_TRUE(addresses.ok());
  ASSERT_EQ(addresses->size(), 2U);
  EXPECT_EQ(addresses->back().port, 2);
  EXPECT_EQ(addresses->back().transport, Transport::kPlain);
  EXPECT_EQ(parse_listen("https://x:1")->transport, Transport::kTls);
  EXPECT_EQ(parse_listen("https://x:1?proxy=required")->proxy, ProxyProtocol::kRequired);
  EXPECT_EQ(parse_listen("x:1?proxy=off")->proxy, ProxyProtocol::kOff);
  EXPECT_NE(message_of(load_sets({"server.listen=[]"})).find("a string or an array of strings"),
            std::string::npos);
  EXPECT_NE(message_of(load_sets({R"(server.listen=["127.0.0.1:1", "x"])"})).find("the port is missing"),
            std::string::npos);
}

TEST(Config, AnHttpsAddressNeedsACertificate) {
  EXPECT_NE(message_of(load_sets({"server.listen=https://127.0.0.1:1"})).find("tls.certificate is empty"),
            std::string::npos);
  EXPECT_NE(
      message_of(load_sets({"server.listen=https://127.0.0.1:1", "tls.certificate=/dev/zero", "tls.key=x"}))
          .find("is a device"),
      std::string::npos);
  const auto unused = load_sets({"tls.certificate=x"});
  ASSERT_TRUE(unused.ok());
  EXPECT_NE(unused->warnings.at(0).find("not used"), std::string::npos);
}

TEST(Config, ChecksTheListenAddressAndItsSource) {
  EXPECT_TRUE(
      message_of(load_sets({"server.listen=8080"})).starts_with("--set: server.listen must be host:port"));
}

}  // namespace
}  // namespace tickwire
