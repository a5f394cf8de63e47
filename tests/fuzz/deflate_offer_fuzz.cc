// Offers of permessage-deflate in a handshake.
#include "codec/deflate_offer.h"
#include "fuzz.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  const std::string_view header = fuzz::Input(data, size).rest();
  const DeflateAgreement agreed = agree_on_deflate(header);
  bool any = false;
  for (const DeflateAgreement& offer : read_deflate_offers(header)) {
    any = any || offer.accepted;
    const bool in_range =
        offer.client_window_bits >= kClientWindowBitsMin && offer.client_window_bits <= kClientWindowBitsMax;
    require(!offer.accepted || in_range, "an accepted window exists");
  }
  require(!agreed.accepted || any, "what is agreed on was offered");
  if (agreed.accepted) {
    require(agree_on_deflate(agreed.response()).accepted, "the answer is an offer that we would accept");
  }
  return 0;
}
