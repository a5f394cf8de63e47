// decode_base64url: base64url (RFC 4648, section 5) as JSON Web Tokens use it, read strictly: no padding, no
// white space, and no bits left over, so that each sequence of bytes has exactly one spelling.
// No state; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tickwire {

// Nothing: `text` is not base64url. An empty text is no bytes.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace tickwire
