#include "engine/logging.h"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/fault.h"
#include "model/printable.h"

namespace tickwire {
namespace {

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v";

// The one place through which every line goes: what clients, feeds and files put into it reaches no terminal
// raw.
class PrintableFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg escaped = message;
    escaped.payload = text;
    pattern_.format(escaped, out);
    // Where the pattern put the colour, which the sink looks for in the message that it was given.
    message.color_range_start = escaped.color_range_start;
    message.color_range_end = escaped.color_range_end;
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<PrintableFormatter>();
  }

 private:
  spdlog::pattern_formatter pattern_{kPattern};
};

void log_fault(Boundary boundary, std::string_view doing, std::string_view what) {
  spdlog::error("a fault in {} was contained ({}): {}; please report it", doing,
                kBoundaryNames.at(static_cast<std::size_t>(boundary)), what);
}

spdlog::sink_ptr standard_error() {
  static const spdlog::sink_ptr kSink = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    sink->set_formatter(std::make_unique<PrintableFormatter>());
    return sink;
  }();
  return kSink;
}

}  // namespace

void log_always(std::string_view line) {
  // Not registered, so spdlog::set_level() leaves it as it is.
  static spdlog::logger log("audit", standard_error());
  log.info("{}", line);
}

void set_up_logging(LogLevel level) {
  static const bool kMade = [] {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("tickwire", standard_error()));
    set_fault_log(log_fault);
    return true;
  }();
  static_cast<void>(kMade);
  spdlog::set_level(spdlog::level::from_str(std::string(config_name(level))));
}

}  // namespace tickwire
