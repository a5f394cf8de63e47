// read_head: recognises an `update` or a `snapshot` in the one spelling in which tickwire writes it
// (docs/PROTOCOL.md; core/protocol/encode.cc). It judges nothing: whatever is spelled in another way is for a
// reader that takes any JSON. No state, no allocation; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickwire {

struct MessageHead {
  bool is_snapshot = false;
  bool is_event = false;    // "delivery":"event"
  std::string_view topic;   // printable ASCII without quotes and backslashes
  std::uint64_t seq = 0;    // below 10^18
  std::int64_t ts = 0;      // from 0, below 10^18
  std::string_view status;  // of a snapshot
  std::size_t data_at = 0;  // where the value of "data" begins; it is not checked
  std::size_t data_size = 0;
};

// The views in `head` point into `text`. False: `text` is something else, and `head` is undefined.
bool read_head(std::string_view text, MessageHead& head);

}  // namespace tickwire
