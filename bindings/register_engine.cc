#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/errors.h"
#include "bindings/publish.h"
#include "bindings/publish_table.h"
#include "bindings/register.h"
#include "bridge/bridge.h"
#include "bridge/local_session.h"
#include "engine/engine.h"
#include "fanout/forms.h"
#include "hub/hub.h"
#include "protocol/command.h"

namespace tickwire {

namespace py = pybind11;

namespace {

using WithoutGil = py::call_guard<py::gil_scoped_release>;

// An engine that is still running when its last reference goes joins its threads, and that may take a while.
struct DeleteWithoutGil {
  void operator()(Engine* engine) const {
    const py::gil_scoped_release released;
    delete engine;
  }
};
using EngineHolder = std::unique_ptr<Engine, DeleteWithoutGil>;

EngineHolder create(const Config& config) {
  std::optional<Result<std::unique_ptr<Engine>>> engine;
  {
    const py::gil_scoped_release released;
    engine.emplace(Engine::create(config));
  }
  return EngineHolder(unwrap(std::move(*engine)).release());
}

void start(Engine& engine) {
  std::optional<Status> started;
  {
    const py::gil_scoped_release released;
    started.emplace(engine.start());
  }
  unwrap(*started);
}

template <typename T>
T named(std::optional<T> value, const std::string& field, const std::string& text,
        const std::string& allowed) {
  if (!value)
    throw_error({ErrorCode::kBadConfig, field + ": \"" + text + "\" is not one of " + allowed, field});
  return *value;
}

TopicStatus status_named(const std::string& name) {
  return named(parse_topic_status(name), "status", name, "live, stale, halted and closed");
}

void set_status(Engine& engine, const std::string& topic, const std::string& status, FeedId feed) {
  const TopicStatus wanted = status_named(status);
  unwrap(engine.bridge().set_status(feed, topic, wanted));
}

std::optional<std::string> snapshot(Engine& engine, const std::string& topic) {
  unwrap(check_topic(topic));
  const UpdatePtr update = engine.hub().find(topic);
  if (!update) return std::nullopt;
  return Forms(*update, Format::kJson).snapshot();
}

std::vector<std::string> topics(Engine& engine, const std::string& pattern, const std::string& after,
                                std::size_t limit) {
  const Pattern wanted = unwrap(Pattern::parse(pattern));
  const py::gil_scoped_release released;
  std::vector<std::string> names;
  for (const UpdatePtr& update : engine.hub().list(wanted, after, limit))
    names.push_back(update->topic().name);
  return names;
}

// `Action`: Revoke or Disconnect.
template <typename Action>
std::string end_sessions(Engine& engine, const std::string& subject, const std::string& session) {
  std::optional<Result<std::string>> done;
  {
    const py::gil_scoped_release released;
    done.emplace(engine.act(Action{{subject, session}}));
  }
  return unwrap(std::move(*done));
}

FeedId add_feed(Engine& engine, std::string name, std::string pattern,
                std::optional<std::vector<std::string>> topics, const std::optional<std::string>& delivery) {
  FeedSpec spec{std::move(name), std::move(pattern), std::move(topics), std::nullopt};
  if (delivery) spec.delivery = named(parse_delivery(*delivery), "delivery", *delivery, "value and event");
  return unwrap(engine.bridge().add_feed(spec));
}

void declare(Engine& engine, FeedId feed, const std::string& topic, const std::string& delivery) {
  const Delivery wanted = named(parse_delivery(delivery), "delivery", delivery, "value and event");
  const py::gil_scoped_release released;
  unwrap(engine.bridge().declare(feed, topic, wanted));
}

void add_authorizer(Engine& engine, const std::string& pattern, const std::string& action) {
  std::optional<Action> guarded;
  if (action == "subscribe") guarded = Action::kSubscribe;
  if (action == "publish") guarded = Action::kPublish;
  unwrap(engine.bridge().add_authorizer(pattern, named(guarded, "action", action, "subscribe and publish")));
}

// A guard's pattern, and the patterns that it lets be seen; none: all of its topics.
using GuardSaid = std::pair<std::string, std::optional<std::vector<std::string>>>;

GuardPart part_of(const GuardSaid& said) {
  GuardPart part{unwrap(Pattern::parse(said.first)), !said.second, {}};
  for (const std::string& only : said.second.value_or(std::vector<std::string>{}))
    part.only.push_back(unwrap(Pattern::parse(only)));
  return part;
}

void answer(Engine& engine, std::uint64_t id, const std::string& ruling, std::int64_t ttl_ms,
            std::string text, double max_rate, const std::vector<GuardSaid>& guards) {
  std::optional<Ruling> given;
  if (ruling == "allow") given = Ruling::kAllow;
  if (ruling == "deny") given = Ruling::kDeny;
  if (ruling == "unavailable") given = Ruling::kUnavailable;
  const Ruling said = named(given, "ruling", ruling, "allow, deny and unavailable");
  if (max_rate != 0 && !(max_rate >= kMaxRateMin && max_rate <= kMaxRateMax))
    throw py::value_error("max_rate: out of its range");
  AccessAnswer given_all{.id = id, .ruling = said, .ttl_ms = ttl_ms, .text = std::move(text)};
  given_all.max_rate = max_rate;
  for (const GuardSaid& guard : guards) given_all.guards.push_back(part_of(guard));
  engine.bridge().answer(std::move(given_all));
}

void plugin_state(Engine& engine, const std::string& name, std::string state, std::uint64_t restarts,
                  std::uint64_t errors) {
  engine.bridge().plugins().set(name, {std::move(state), restarts, errors});
}

using EngineClass = py::class_<Engine, EngineHolder>;

void bind_server(EngineClass& engine) {
  engine.def(py::init(&create), py::arg("config"))
      .def("start", &start, "Opens the store and the listener. Raises StoreError, ListenError.")
      .def("stop", &Engine::stop, WithoutGil(), "Drains, flushes and joins every thread. Idempotent.")
      .def("reload", &Engine::reload, WithoutGil(), py::arg("config"),
           "Takes over what can change while it runs, log.level and topics.*; logs what cannot.")
      .def_property_readonly("config", &Engine::config, py::return_value_policy::reference_internal)
      .def_property_readonly("address", &Engine::address, "\"127.0.0.1:8080\", with the real port.")
      .def_property_readonly("urls", &Engine::urls,
                             "All it serves on, as in \"https://127.0.0.1:8443\", with the real ports.")
      .def_property_readonly("epoch", &Engine::epoch)
      .def_property_readonly("admin_address", &Engine::admin_address,
                             "The admin listener's socket, or \"host:port\"; \"\": there is none.")
      .def("health", &Engine::health_json, WithoutGil(),
           "What GET /health of the admin listener answers, as JSON.")
      .def("disconnect", &end_sessions<Disconnect>, py::arg("subject") = "", py::arg("session") = "",
           "What POST /v1/disconnect answers, as JSON, when the sessions have ended.")
      .def("revoke", &end_sessions<Revoke>, py::arg("subject") = "", py::arg("session") = "",
           "What POST /v1/revoke answers, as JSON, when the sessions have ended.")
      .def(
          "local_session", [](Engine& self) { return std::make_unique<LocalClient>(self.shard()); },
          py::keep_alive<0, 1>(), "A new in-process client.");
}

void bind_topics(EngineClass& engine) {
  engine
      .def("publish", &publish, py::arg("topic"), py::arg("data"), py::arg("feed") = 0,
           "Publishes a mapping or a JSON object's text; the seq it got. Raises TopicError, DataError.")
      .def("publish_many", &publish_many, py::arg("pairs"), py::arg("feed") = 0,
           "Publishes (topic, data) pairs; how many. A faulty one loses no other.")
      .def("publish_table", &publish_table, py::arg("topics"), py::arg("columns"), py::arg("nan") = "error",
           py::arg("feed") = 0,
           "Publishes a row to each topic from columns (NumPy, Arrow, any buffer, lists), without the\n"
           "GIL; how many. All of them or none, unless an image would grow past its limit.")
      .def("set_status", &set_status, py::arg("topic"), py::arg("status"), py::arg("feed") = 0,
           "live, stale, halted or closed. Raises UnknownTopicError.")
      .def("snapshot", &snapshot, py::arg("topic"),
           "The topic's snapshot message, or None when nothing was published to it.")
      .def("topics", &topics, py::arg("pattern") = ">", py::arg("after") = "", py::arg("limit") = 10'000,
           "Names of the topics that match, in order, after `after`.");
}

void bind_plugins(EngineClass& engine) {
  engine
      .def(
          "notify_fd", [](Engine& self) { return unwrap(self.bridge().notify_fd()); },
          "Readable while take_events() would return something.")
      .def(
          "take_events", [](Engine& self) { return self.bridge().take_events(); },
          "What happened since the last call.")
      .def(
          "answer", &answer, py::arg("id"), py::arg("ruling"), py::arg("ttl_ms") = 0, py::arg("text") = "",
          py::arg("max_rate") = 0.0, py::arg("guards") = std::vector<GuardSaid>{},
          "Answers a question with allow, deny or unavailable; text: the claims of an authentication, or "
          "the\n"
          "reason. guards: of a subscription to a pattern, the pattern of each authorizer and those that it\n"
          "lets be seen; None: all of its topics.")
      .def("add_feed", &add_feed, py::arg("name"), py::arg("pattern"), py::arg("topics") = py::none(),
           py::arg("delivery") = py::none(), "Registers a feed for demand; its number.")
      .def(
          "set_feed_topics",
          [](Engine& self, FeedId feed, std::vector<std::string> topics) {
            unwrap(self.bridge().set_feed_topics(feed, std::move(topics)));
          },
          py::arg("feed"), py::arg("topics"))
      .def("declare", &declare, py::arg("feed"), py::arg("topic"), py::arg("delivery"),
           "What one of the feed's topics is, value or event, where the configuration leaves that open.")
      .def(
          "follow_demand", [](Engine& self, FeedId feed) { self.bridge().follow_demand(feed); }, WithoutGil(),
          py::arg("feed"), "The feed looks at what is wanted, and produces only that from now on.")
      .def(
          "feed_down", [](Engine& self, FeedId feed) { self.bridge().feed_down(feed); }, WithoutGil(),
          py::arg("feed"), "Makes the topics that it published last stale.")
      .def(
          "remove_feed", [](Engine& self, FeedId feed) { self.bridge().remove_feed(feed); }, py::arg("feed"))
      .def("add_authorizer", &add_authorizer, py::arg("pattern"), py::arg("action"))
      .def(
          "set_authenticator", [](Engine& self, bool present) { self.bridge().set_authenticator(present); },
          py::arg("present"))
      .def("plugin_state", &plugin_state, py::arg("name"), py::arg("state"), py::arg("restarts"),
           py::arg("errors"), "How a plugin fares, for /health.");
}

}  // namespace

void register_engine(py::module_& module) {
  EngineClass engine(module, "Engine", "One whole server; tickwire.Server is its friendly face.");
  bind_server(engine);
  bind_topics(engine);
  bind_plugins(engine);
}

}  // namespace tickwire
