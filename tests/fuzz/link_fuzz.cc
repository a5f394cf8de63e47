// Relocatable deflate: messages of a few topics, linked for one stream, and read back by zlib.
#include <string>

#include "codec/inflating_peer.h"
#include "codec/stream_sender.h"
#include "fuzz.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  fuzz::Input input(data, size);
  test::StreamSender sender;
  test::InflatingPeer peer;
  std::string last;
  while (!input.empty()) {
    const std::uint8_t what = input.byte();
    std::string message(input.bytes(input.byte()));
    for (unsigned i = 0; i < (what >> 5U); ++i)
      message += message.substr(0, 2'000);  // longer ones, with matches
    if (message.empty()) continue;
    if ((what & 4U) != 0) message = last.substr(0, last.size() / 2) + message;
    Assembler::Options options;
    if ((what & 8U) != 0) options.parse = Parse::kGreedy;
    const auto sent =
        sender.send(std::string(1, static_cast<char>('a' + what % 4)), message, kBasesMax, options);
    require(peer.receive(sent.payload) == message, "a client reads what was published");
    last = message.substr(0, 1'000);
  }
  return 0;
}
