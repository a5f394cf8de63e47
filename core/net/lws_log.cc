#include "net/lws_log.h"

#include <libwebsockets.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <mutex>
#include <string_view>

#include "base/fault.h"

namespace tickwire {
namespace {

// Returns whether a line may be logged now, and counts those that may not.
class LinesPerSecond {
 public:
  bool take(int& left_out) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    left_out = 0;
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      taken_ = 0;
      left_out = left_out_;
      left_out_ = 0;
    }
    if (taken_ >= kLwsLogLinesPerSecondMax) {
      ++left_out_;
      return false;
    }
    ++taken_;
    return true;
  }

 private:
  std::mutex mutex_;
  // Protected by mutex_:
  std::chrono::steady_clock::time_point second_;
  int taken_ = 0;
  int left_out_ = 0;
};

// What a client can provoke is no error of the server.
void log_line(int level, const char* line) {
  static LinesPerSecond lines;
  int left_out = 0;
  if (!lines.take(left_out)) return;
  std::string_view text(line);
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (left_out > 0) spdlog::debug("libwebsockets: {} lines left out", left_out);
  spdlog::log(level == LLL_ERR ? spdlog::level::warn : spdlog::level::info, "libwebsockets: {}", text);
}

void emit(int level, const char* line) {
  contained(Boundary::kWebsocket, "a log line of libwebsockets", [&] { log_line(level, line); });
}

}  // namespace

void lws_log_to_spdlog() {
  static std::once_flag once;
  std::call_once(once, [] { lws_set_log_level(LLL_ERR | LLL_WARN, emit); });
}

}  // namespace tickwire
