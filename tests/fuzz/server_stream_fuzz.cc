// What a client receives: the server's bytes taken apart into messages, and their heads and images read.
#include <algorithm>
#include <string>
#include <vector>

#include "client/client_topics.h"
#include "client/message_head.h"
#include "client/message_reader.h"
#include "fuzz.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

// The messages, as far as this reader reads them.
std::vector<std::string> read(std::string_view bytes, std::size_t piece,
                              const MessageReader::Config& config) {
  MessageReader reader(config);
  ClientTopics topics;
  std::vector<std::string> messages;
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    require(!room.empty(), "there is room for bytes");
    const std::size_t size = std::min({room.size(), bytes.size(), piece});
    std::copy_n(bytes.begin(), size, room.begin());
    bytes.remove_prefix(size);
    reader.received(size);
    for (;;) {
      const auto found = reader.next();
      if (!found || *found == MessageReader::Found::kBinary || *found == MessageReader::Found::kForeign)
        return messages;
      if (*found == MessageReader::Found::kNothing) break;
      if (*found != MessageReader::Found::kText) continue;
      messages.emplace_back(reader.text());
      MessageHead head;
      if (!read_head(reader.text(), head)) continue;
      require(head.data_at + head.data_size <= reader.text().size(), "data lies within its message");
      ClientTopic& topic = topics.change(head.topic);
      const std::string_view data = reader.text().substr(head.data_at, head.data_size);
      const bool taken =
          head.is_snapshot ? topics.replace_image(topic, data) : topics.merge_image(topic, data);
      if (taken) topics.arm(topic, 1);
      std::uint64_t before = 0;
      static_cast<void>(topics.go_on(reader.text(), head, before));
    }
  }
  return messages;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t agreed = input.byte();
  const std::size_t piece = std::size_t{input.byte()} + 1;
  const std::string_view bytes = input.rest();
  const MessageReader::Config config{.deflate = (agreed & 1U) != 0,
                                     .window_bits = (agreed & 2U) != 0 ? 9 : 15,
                                     .context_takeover = (agreed & 4U) != 0,
                                     .message_bytes_max = 4'096};
  require(read(bytes, bytes.size() + 1, config) == read(bytes, piece, config),
          "the same messages, however they are cut");
  return 0;
}
