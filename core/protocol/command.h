// A client's message, parsed and checked: text or bytes in, Command or Error out. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/keyed_hash.h"
#include "protocol/format.h"

namespace tickwire {

inline constexpr std::size_t kMessageBytesMax = 2U << 20U;
// Values in a message, those within others included: a tree of them is built, of some 40 bytes each.
inline constexpr std::size_t kJsonElementsMax = 250'000;
inline constexpr std::size_t kTopicsPerCommandMax = 10'000;
inline constexpr std::size_t kListTopicsMax = 10'000;
// Topics in the answer to get, and about how many bytes of them: the one that passes it is the last.
inline constexpr std::size_t kGetTopicsMax = 10'000;
inline constexpr std::size_t kGetBytesMax = 1U << 20U;
inline constexpr std::size_t kIdBytesMax = 64;         // `once`, too
inline constexpr const char* kAuthorField = "author";  // of what clients publish
inline constexpr std::size_t kTokenBytesMax = 8'192;
inline constexpr std::size_t kSinceTopicsMax = 100'000;
inline constexpr std::uint64_t kLastMax = 65'536;
inline constexpr double kMaxRateMin = 0.02;  // one message in 50 s
inline constexpr double kMaxRateMax = 1000.0;

// By names that clients choose, so under a keyed hash.
using SeqByTopic = std::unordered_map<std::string, std::uint64_t, KeyedHash>;

struct SubscribeCommand {
  std::vector<std::string> topics;  // not yet checked: each gets its own result
  bool snapshot = true;
  double max_rate = 0;     // messages/s per topic; 0: every update
  SeqByTopic since;        // topic -> the last seq that the client has
  std::string epoch;       // that `since` belongs to
  std::uint64_t last = 0;  // event topics: so many of those before
  // `since` and `epoch` are those of a cursor: each result says whether it goes on from there.
  bool resumes = false;
  bool cut = false;  // the cursor had no room for what patterns matched
};
struct UnsubscribeCommand {
  std::vector<std::string> topics;
};
struct PublishCommand {
  std::string topic;
  std::string data;  // the bytes of `data` as they stood in the text; without `author`
  std::string once;  // the name under which it is published once; empty: it has none
};
struct ListCommand {
  std::string pattern = ">";
  std::string after;
  std::size_t limit = kListTopicsMax;
};
struct GetCommand {
  std::vector<std::string> topics;  // not yet checked: each gets its own result
  std::string after;                // the `next` of the page before; empty: the first page
  std::size_t limit = kGetTopicsMax;
};
struct AuthCommand {
  std::string token;
};
struct PingCommand {};

struct Command {
  std::string id;  // as it stood in the text, ready to be echoed; empty when there was none
  std::variant<SubscribeCommand, UnsubscribeCommand, PublishCommand, ListCommand, GetCommand, AuthCommand,
               PingCommand>
      body;
};

// `id`: that of the message, also where it is refused, whatever is wrong with the rest of it; empty where
// there is none that could be echoed.
Result<Command> parse_command(std::string_view message, std::string& id, Format format = Format::kJson);

}  // namespace tickwire
