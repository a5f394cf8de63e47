// printable: text from outside, for a log or a terminal: what could move a cursor, begin a line or pass for
// something else is written as an escape. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tickwire {

// Control characters (C0, DEL, C1), line separators, bidirectional controls and bytes that are not UTF-8
// become
// \n, \r, \t or \xNN for each of their bytes; everything else stays as it is.
std::string printable(std::string_view text);

}  // namespace tickwire
