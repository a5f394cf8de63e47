// What client and server agree on when a handshake offers permessage-deflate (RFC 7692 7.1, RFC 6455 9.1).
//
// Pure functions, any thread. Our terms: nothing that asks us for a smaller window (server_max_window_bits),
// as linked messages reach back 32 KiB; and at most one parameter in the answer, without a value, since
// libwebsockets can say no more. That one is server_no_context_takeover, which must be confirmed when asked
// for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tickwire {

// zlib's deflate never uses a window of 8 bits, whatever a client says: it makes 9 of it.
inline constexpr int kClientWindowBitsMin = 9;
inline constexpr int kClientWindowBitsMax = 15;

struct DeflateAgreement {
  bool accepted = false;                          // false: the connection goes on uncompressed
  bool server_no_context_takeover = false;        // send standalone forms only
  bool client_no_context_takeover = false;        // a promise of the client: it refers to no earlier message
  int client_window_bits = kClientWindowBitsMax;  // a promise as well: no reference beyond 2^n bytes

  // The Sec-WebSocket-Extensions value to answer with; only when accepted.
  [[nodiscard]] std::string response() const;
};

// `header`: the value of Sec-WebSocket-Extensions, several lines joined by commas. The first offer that we
// can take is taken; one with an unknown, repeated or malformed parameter is passed over, as is what is not
// even well-formed.
DeflateAgreement agree_on_deflate(std::string_view header);

// Each offer of permessage-deflate in the header, in order; `accepted` says which we could take.
std::vector<DeflateAgreement> read_deflate_offers(std::string_view header);

}  // namespace tickwire
