// limit_keys: the configuration keys limits.*, of which config_keys.cc makes rows like all others.
// No state; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "engine/limits.h"

namespace tickwire {

struct LimitKey {
  std::string_view name;
  int Limits::* member;
  std::string_view unit;
  std::string_view help;
  struct {
    double min;
    double max;
  } range;
  std::string_view beyond;  // what happens past it
};

const std::vector<LimitKey>& limit_keys();

}  // namespace tickwire
