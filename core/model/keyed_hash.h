// keyed_hash: a hash of texts that clients choose. Its key is drawn when the process starts, so nobody can
// make up texts that fall together and turn a look-up into a search. What is computed with it must not depend
// on the key: it decides where an entry lies in memory, never what comes out or in which order.
//
// SipHash-1-3 (Aumasson and Bernstein, 2012), as Python and Rust use it. No state; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickwire {

struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

std::uint64_t sip_hash(std::string_view text, HashKey key);
// Under the key of this process.
std::uint64_t keyed_hash(std::string_view text);

// The same for the standard's tables.
struct KeyedHash {
  std::size_t operator()(std::string_view text) const { return keyed_hash(text); }
};

}  // namespace tickwire
