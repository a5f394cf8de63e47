#include <pybind11/stl.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/errors.h"
#include "bindings/json_text.h"
#include "bindings/register.h"
#include "engine/config.h"
#include "engine/jwt_rules.h"
#include "engine/system_clock.h"

namespace tickwire {

namespace py = pybind11;

namespace {

Config load(const std::optional<std::string>& file, const py::dict& overrides,
            const std::map<std::string, std::string>& environment, const std::vector<std::string>& sets) {
  ConfigSources sources;
  sources.file = file.value_or("");
  if (!overrides.empty()) unwrap(append_json(overrides, "config", sources.overrides));
  sources.environment.assign(environment.begin(), environment.end());
  sources.sets = sets;
  const py::gil_scoped_release released;
  Result<Config> config = load_config(sources);
  const py::gil_scoped_acquire held;
  return unwrap(std::move(config));
}

std::string plugin_config(const Config& config, const std::string& name) {
  const auto found = config.plugins.find(name);
  return found == config.plugins.end() ? "{}" : found->second;
}

KeySets fetched_key_sets(const Config& config) {
  KeySets sets;
  for (const std::string& url : key_set_urls(config)) {
    const py::gil_scoped_release released;
    const std::atomic<bool> never = false;
    Result<std::string> text = get_key_set(url, never);
    const py::gil_scoped_acquire held;
    if (!text) throw_error({ErrorCode::kUnavailable, url + ": " + text.error().message, "auth.jwt.keys"});
    sets.emplace(url, std::move(*text));
  }
  return sets;
}

// On the wall clock, as the server does.
std::string check_token(const Config& config, const std::string& token) {
  if (!verifies_tokens(config)) {
    throw_error(
        {ErrorCode::kBadConfig, "auth.jwt.keys and auth.jwt.secret are empty: no token is verified", {}});
  }
  JwtRules read = unwrap(read_jwt_rules(config, fetched_key_sets(config)));
  const std::int64_t now_ms = SystemClock().wall_ms();
  const Result<VerifiedToken> verified = TokenVerifier(std::move(read.rules)).verify(token, now_ms);
  if (!verified) throw_error({ErrorCode::kDenied, "the token " + verified.error().message, "token"});
  return describe_grant(*verified, now_ms);
}

}  // namespace

void register_config(py::module_& module) {
  py::class_<ConfigEntry>(module, "ConfigEntry", "One key of a configuration, as `config show` prints it.")
      .def_readonly("key", &ConfigEntry::key)
      .def_readonly("value", &ConfigEntry::value)
      .def_readonly("unit", &ConfigEntry::unit)
      .def_readonly("source", &ConfigEntry::source)
      .def_readonly("allowed", &ConfigEntry::allowed)
      .def_readonly("help", &ConfigEntry::help);

  py::class_<Config>(module, "Config", "The settings of a server, checked.")
      .def_static(
          "load", &load, py::arg("file") = py::none(), py::arg("overrides") = py::dict(),
          py::arg("environment") = std::map<std::string, std::string>{},
          py::arg("sets") = std::vector<std::string>{},
          "Reads a TOML file; then the TICKWIRE_* of the environment, overrides (shaped like the file)\n"
          "and \"key=value\" sets each go on top. Raises ConfigError.")
      .def("entries", &config_entries, "Every key with its value and where that came from.")
      .def("plugin_config", &plugin_config, py::arg("name"), "plugins.<name>.* as a JSON object.")
      .def("check_token", &check_token, py::arg("token"),
           "What a server lets its bearer do now, as a JSON object: subscribe and publish (patterns),\n"
           "max_rate (0: every update), expires_in_s, claims. DeniedError, ConfigError without keys.")
      .def_readonly("file", &Config::file)
      .def_property_readonly("listen", [](const Config& config) { return config.listen.texts; })
      .def_readonly("store_path", &Config::store_path)
      .def_readonly("warnings", &Config::warnings, "What works, but should be otherwise.")
      .def_property_readonly("drain_s", [](const Config& config) { return config.drain.count(); })
      .def_property_readonly("auth_deadline_ms",
                             [](const Config& config) { return config.auth_deadline.count(); })
      .def_readonly("plugin_files", &Config::plugin_files)
      .def_readonly("plugin_python_path", &Config::plugin_python_path)
      .def_property_readonly("log_level", [](const Config& config) { return config_name(config.log_level); });
}

}  // namespace tickwire
