// lws_log_to_spdlog: what libwebsockets has to say goes to the process's log, warnings and errors only, a few
// a second, since a client can provoke them. For the whole process; any thread.
#pragma once

namespace tickwire {

inline constexpr int kLwsLogLinesPerSecondMax = 5;

void lws_log_to_spdlog();

}  // namespace tickwire
