// ConfigBuilder: settings in, in the order in which later ones win; a checked Config out.
//
// One thread. Errors are kBadConfig and name the source, the key, the value and what is allowed.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>
#include "base/error.h"
#include "engine/config.h"
#include "engine/setting.h"

namespace tickwire {

class ConfigBuilder {
 public:
  Status apply(const Setting& setting);
  Config finish();

 private:
  Status apply_topic(const Setting& setting);
  Status apply_plugin(const Setting& setting);

  Config config_;
  std::map<std::string, nlohmann::json> plugins_;
};

}  // namespace tickwire
