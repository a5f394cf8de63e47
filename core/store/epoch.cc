#include "store/epoch.h"

#include <fmt/format.h>

#include <random>

namespace tickwire {

std::string new_epoch() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace tickwire
