// The server's messages in the binary formats. encode.h alone says what they are; here its JSON becomes
// MessagePack or CBOR of the same structure, keys in the same order. Pure; any thread.
//
// What JSON can spell and a double cannot hold is lost: 1.00 becomes 1.0, an integer outside
// [-2^63, 2^64) the nearest double, a number past the largest double that one. Strings stay as they are.
#pragma once

#include <string>
#include <string_view>

#include "protocol/encode.h"
#include "protocol/format.h"

namespace tickwire {

// `text`: what encode.h made, so valid JSON and not too deep.
std::string to_binary(Format format, std::string_view text);

// The message that encode.h made as `text`, in `format`.
std::string in_format(Format format, std::string text);

}  // namespace tickwire
