// What the tests of the configuration share: files, and short ways to load and to look at what came of it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/config.h"
#include "fakes/temporary_folder.h"

namespace tickwire {

// A TOML file in a folder of its own that goes with the test.
class ConfigFile : public ::testing::Test {
 protected:
  Result<Config> load(const std::string& text, std::vector<std::string> sets = {}) {
    std::ofstream(path_) << text;
    return load_config({.file = path_.string(), .environment = {}, .overrides = {}, .sets = std::move(sets)});
  }

  const TemporaryFolder own_;
  const std::filesystem::path& folder_ = own_.path();
  const std::filesystem::path path_ = folder_ / "tickwire.toml";
};

inline Result<Config> load_sets(std::vector<std::string> sets) {
  return load_config({.file = {}, .environment = {}, .overrides = {}, .sets = std::move(sets)});
}

inline std::string message_of(const Result<Config>& config) {
  if (config) return "(no error)";
  EXPECT_EQ(config.error().code, ErrorCode::kBadConfig);
  return config.error().message;
}

inline ConfigEntry entry_of(const Config& config, const std::string& key) {
  for (const ConfigEntry& entry : config_entries(config)) {
    if (entry.key == key) return entry;
  }
  ADD_FAILURE() << "no entry " << key;
  return {};
}

}  // namespace tickwire
