// What a client sends compressed, with every window and both contexts.
#include <string>

#include "codec/inflater.h"
#include "fuzz.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  const std::uint8_t agreed = input.byte();
  Inflater::Config config;
  config.message_bytes_max = 10'000;
  config.window_bits = 9 + agreed % 7;
  config.context_takeover = (agreed & 0x80U) != 0;
  Inflater inflater(config);
  std::string message;
  while (!input.empty()) {
    const std::uint8_t flags = input.byte();
    const bool last = (flags & 1U) != 0;
    const Status fed = inflater.feed(input.bytes(input.byte()), last, message);
    require(message.size() <= config.message_bytes_max, "no message is longer than the limit");
    require(inflater.memory_bytes() <= 64U << 10U, "an inflater holds its state and its window");
    if (!fed) return 0;
    if (!last) continue;
    message.clear();
    if ((flags & 2U) != 0) inflater.park();
  }
  return 0;
}
