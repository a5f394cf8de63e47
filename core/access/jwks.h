// read_jwks: the keys of a JSON Web Key Set (RFC 7517), as identity providers publish it. Sets hold keys for
// many purposes, so what is not for checking the tokens that we take is passed over, and said.
// No state; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "access/verifying_key.h"
#include "base/error.h"

namespace tickwire {

inline constexpr std::size_t kJwksBytesMax = std::size_t{256} << 10U;
inline constexpr std::size_t kKeyIdBytesMax = 256;

struct Jwks {
  std::vector<VerifyingKey> keys;     // in the order of the set, at least one
  std::vector<std::string> warnings;  // "key 2: ...": of those that were passed over
};

// kBadConfig: `text` is not such a set within kJwksBytesMax, none of its keys can be used, one holds its
// private part, or two with the same id serve one algorithm. The message repeats no key.
Result<Jwks> read_jwks(std::string_view text);

}  // namespace tickwire
