// The cursor: where a client of SSE or of the long poll is, so that its next request goes on from there. It
// names the epoch and the seq (and, where it is not live, the status; `?` where the client was not told it)
// of topics:
//
//   5e0c1f2a9b3d4c60,ticker.BTC-USD=12,ticker.ETH-USD=7s
//
// It carries no right: topics come from the request, and are admitted anew. A cursor is at most
// kCursorBytesMax long. One that had no room for the topics of a pattern says so (its epoch is followed by
// `!`): patterns then go on with snapshots. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/keyed_hash.h"
#include "model/topic_kind.h"

namespace tickwire {

inline constexpr std::size_t kCursorBytesMax = 4'096;

struct Cursor {
  struct Seen {
    std::uint64_t seq = 0;
    std::optional<TopicStatus> status = TopicStatus::kLive;  // nothing: the client does not know it
    bool operator==(const Seen&) const = default;
  };
  std::string epoch;
  bool cut = false;  // it had no room for what patterns matched
  std::unordered_map<std::string, Seen, KeyedHash> topics;
};
// Nothing: it is none of ours.
std::optional<Cursor> parse_cursor(std::string_view text);

class CursorWriter {
 public:
  explicit CursorWriter(std::string_view epoch) : epoch_(epoch) {}

  // False: there is no room for it.
  bool add(std::string_view topic, Cursor::Seen seen);
  // Takes back what was added since it had this size, and says that patterns are cut.
  void cut(std::size_t size);
  [[nodiscard]] std::size_t size() const { return topics_.size(); }
  [[nodiscard]] std::string text() const;

 private:
  const std::string epoch_;
  std::string topics_;
  bool cut_ = false;
};

}  // namespace tickwire
