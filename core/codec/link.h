// link: close the distances of an assembled message for one stream and write the payload it is sent as.
//
// Pure, any thread; no allocation. This is the whole cost of compression per delivery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/assembled.h"

namespace tickwire {

// `gaps[k]`: this stream's position now - the position at which it was sent base k; each base must be in
// reach (base_in_reach). `out`: room for message.reserve_bytes(). Returns the payload's size; the payload
// is complete in the sense of RFC 7692 7.2.1, its last 00 00 FF FF already left out.
std::size_t link(const Assembled& message, std::span<const std::uint32_t> gaps, char* out);

}  // namespace tickwire
