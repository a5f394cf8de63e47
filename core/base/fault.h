// Faults: exceptions that nobody expected, stopped at a boundary: where C calls us, and at the top of every
// thread. Beyond these an exception would end the process. contained() stops it, has it logged with what was
// being done, and counts it; the caller then ends what the exception left in doubt (a connection, a request,
// a task), and nothing else.
//
// Any thread. The counts are those of the process. Where the log goes is set once (set_fault_log), before
// other threads run; without that, it is standard error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace tickwire {

enum class Boundary : std::uint8_t {
  kLoop,          // a loop's turn, and what was posted to it
  kSocket,        // an event of a listener or of an HTTP connection
  kTimer,         // a deadline of a connection
  kWebsocket,     // an event of a WebSocket
  kWorker,        // a large message or payload
  kStore,         // a flush
  kHousekeeping,  // a sweep over topics
  kWatchdog,
  kReload,
  kStop,
};
inline constexpr std::array<std::string_view, 10> kBoundaryNames{
    "loop", "socket", "timer", "websocket", "worker", "store", "housekeeping", "watchdog", "reload", "stop"};

// `what` is the exception's own text. Must not throw.
using FaultLog = void (*)(Boundary boundary, std::string_view doing, std::string_view what);
void set_fault_log(FaultLog log);

// Counts a fault and logs it, at most kFaultLinesPerSecondMax in a second.
void note_fault(Boundary boundary, std::string_view doing, std::string_view what) noexcept;
inline constexpr int kFaultLinesPerSecondMax = 10;

[[nodiscard]] std::uint64_t fault_count(Boundary boundary);

// Does `work`. False: it threw. `doing` completes "a fault in ...".
template <typename Work>
bool contained(Boundary boundary, std::string_view doing, Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return true;
  } catch (const std::exception& error) {
    note_fault(boundary, doing, error.what());
  } catch (...) {
    note_fault(boundary, doing, "something that is no std::exception");
  }
  return false;
}

}  // namespace tickwire
