#include "daemon/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace tickwire {

namespace {
bool output_was_closed = false;
}

void open_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    if (number == STDOUT_FILENO) output_was_closed = true;
    // It takes the lowest number that is free, which is this one.
    static_cast<void>(::open("/dev/null", number == STDIN_FILENO ? O_RDONLY : O_WRONLY));
  }
}

bool output_is_closed() {
  return output_was_closed;
}

void say(std::string_view text) {
  const std::string line = fmt::format("tickwired: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool print_line(std::string_view text) {
  const std::string line = fmt::format("{}\n", text);
  if (output_was_closed) errno = EBADF;
  if (!output_was_closed && std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
      std::fflush(stdout) == 0)
    return true;
  say(fmt::format("the output cannot be written: {}", std::generic_category().message(errno)));
  return false;
}

}  // namespace tickwire
