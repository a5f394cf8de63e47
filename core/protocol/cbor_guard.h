// check_cbor: the two things in CBOR that must not reach nlohmann's reader: strings of unknown length within
// each other, which it follows by recursion without a bound, and integers below -2^63, which it wraps
// around. All else it judges itself. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"

namespace tickwire {

// kBadMessage with the byte's place. Never recurses; reads each head (RFC 8949 section 3) once.
Status check_cbor(std::string_view bytes);

}  // namespace tickwire
