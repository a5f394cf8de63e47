// keyed_hash: a hash of texts that clients choose. Its key is drawn when the process starts, so nobody can
// make up texts that fall together and turn a look-up into a search. What comes out must not depend on the
// key: it decides where an entry lies in memory, and so in which order a whole table is gone through.
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
// Takes this key instead of one that is drawn: for simulations, in which the same seed must do the same.
// Before anything is hashed, and before there are other threads.
void set_hash_key(HashKey key);

// The same for the standard's tables.
struct KeyedHash {
  std::size_t operator()(std::string_view text) const { return keyed_hash(text); }
};

}  // namespace tickwire
