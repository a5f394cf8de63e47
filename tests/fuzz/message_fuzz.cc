// The frames of one client's messages, put together and inflated.
#include <string>

#include "fuzz.h"
#include "model/utf8.h"
#include "net/incoming_message.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  constexpr std::size_t kBytesMax = 4'096;
  fuzz::Input input(data, size);
  IncomingMessage message(kBytesMax);
  const std::uint8_t agreed = input.byte();
  const bool binary = (agreed & 1U) != 0;
  if (binary) message.expect_binary();
  if ((agreed & 2U) != 0) {
    DeflateAgreement deflate;
    deflate.accepted = true;
    deflate.client_no_context_takeover = (agreed & 4U) != 0;
    deflate.client_window_bits = (agreed & 8U) != 0 ? 9 : 15;
    message.expect_compressed(deflate);
  }
  bool first = true;
  while (!input.empty()) {
    const std::uint8_t flags = input.byte();
    Fragment fragment;
    fragment.first = first;
    fragment.final = (flags & 1U) != 0;
    fragment.binary = (flags & 2U) != 0 ? !binary : binary;
    fragment.rsv1 = (flags & 4U) != 0;
    fragment.bytes_to_come = (flags & 8U) != 0 ? input.byte() : 0;
    fragment.bytes = input.bytes(input.byte());
    if (fragment.bytes_to_come > 0) fragment.final = false;
    const Received received = message.feed(fragment);
    require(message.unfinished_bytes() <= 4 * kBytesMax + 64, "a message holds no more than its limit");
    if (received.close) {
      message.close();
      require(message.unfinished_bytes() == 0 && message.inflater_bytes() == 0, "a close gives all back");
      return 0;
    }
    first = received.message.has_value();
    if (!first) continue;
    require(received.message->size() <= kBytesMax, "a message is within its limit");
    require(binary || valid_utf8(*received.message), "a text is UTF-8");
    message.release();
  }
  return 0;
}
