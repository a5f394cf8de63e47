#include "engine/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace tickwire {

void set_up_logging(const std::string& level) {
  static const bool kMade = [] {
    auto log =
        std::make_shared<spdlog::logger>("tickwire", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    log->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    spdlog::set_default_logger(std::move(log));
    return true;
  }();
  static_cast<void>(kMade);
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace tickwire
