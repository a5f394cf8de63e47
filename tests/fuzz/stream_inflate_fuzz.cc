// What a server sends compressed: whatever it is, StreamInflater says of it what Inflater says.
#include "codec/stream_inflater.h"

#include <string>

#include "fuzz.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  const std::uint8_t agreed = input.byte();
  Inflater::Config config;
  config.message_bytes_max = 10'000;
  config.window_bits = 9 + agreed % 7;
  config.context_takeover = (agreed & 0x80U) == 0;
  Inflater judge(config);
  StreamInflater quick(config);
  std::string message;
  while (!input.empty()) {
    const bool last = (input.byte() & 1U) != 0;
    const auto piece = input.bytes(input.byte());
    const Status judged = judge.feed(piece, last, message);
    const Status fed = quick.feed(piece, last);
    require(fed.ok() == judged.ok(), "both take it, or neither");
    if (!fed) {
      require(fed.error().message == judged.error().message, "both name the same fault");
      return 0;
    }
    if (!last) continue;
    require(quick.message() == message, "both read the same");
    message.clear();
  }
  return 0;
}
