// read_jws: a signed token in its compact form (RFC 7515, section 7.1), taken apart but not judged.
// No state; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

struct Jws {
  std::string_view signed_text;  // of the token, up to the second dot
  std::string algorithm;         // what its header says; only to be compared with that of a key
  std::string key_id;            // its `kid`; empty: it has none
  std::string payload;
  std::string signature;
};

// Bounded by kTokenBytesMax. kBadMessage: `token` is not three parts of base64url, its header is no JSON
// object with an `alg`, names a member twice, or has `crit`, whatever that lists. The message repeats nothing
// of it.
Result<Jws> read_jws(std::string_view token);

}  // namespace tickwire
