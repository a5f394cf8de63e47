// Standard input, output and error, which may be closed or full: then what is said there is lost, and nothing
// else.
#pragma once

#include <string_view>

namespace tickwire {

// First thing in main(): a descriptor of 0 to 2 that is closed is opened on /dev/null, so that no socket and
// no store gets its number and, with that, the text of the log.
void open_standard_streams();

// Whether standard output was closed when the process began.
bool output_is_closed();

// "tickwired: <text>" on standard error. Never throws, unlike fmt::print on a stream that takes nothing.
void say(std::string_view text);

// A line of output. False: standard output is closed or full, which was said on standard error.
bool print_line(std::string_view text);

}  // namespace tickwire
