// number_in: the number that a field of an image holds, as columns of numbers show it. No state, no
// allocation; any thread.
#pragma once

#include <string_view>

namespace tickwire {

// `value` is the JSON text of a value. A number, or a string that holds exactly one in JSON's grammar, also
// with a plus before it (some exchanges write prices so), is that number; NaN for everything else, and for
// what is past a double.
double number_in(std::string_view value);

}  // namespace tickwire
