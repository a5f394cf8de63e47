// normalize_origin: a web origin as browsers send it in the header Origin. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

// "https://A.example:443/" -> "https://a.example" (RFC 6454, section 6.2: lower case, no slash, no default
// port). "*", "same-host" and "null" stay, and so does the star of "https://*.a.example". kBadConfig for what
// no browser would ever send, with what was most likely meant.
Result<std::string> normalize_origin(std::string_view text);

}  // namespace tickwire
