// What can still be read of a message that cannot be parsed: its id, which the refusal must carry, and the
// place of `data`, which may be at fault. Pure; any thread.
//
// Looks at the message's own members only and walks over their values without judging them, so it finds the
// id whatever stands beside it: values nested too deep, numbers past a double, half surrogates, bytes that
// are not UTF-8, tags. Never recurses; looks at each byte at most twice.
#pragma once

#include <string>
#include <string_view>

#include "protocol/format.h"

namespace tickwire {

struct Salvage {
  std::string id;         // as JSON text, ready to be echoed; empty where there is none that can be
  std::string_view data;  // the text of `data`, of a JSON message; empty where there is none
};

Salvage salvage(Format format, std::string_view message);

}  // namespace tickwire
