// Encoder: chooses the form (fanout/forms.h) in which a message goes out to one subscription: plain, linked
// against what the subscription got last, or standalone; and appends it to the write in the session's
// framing. Each form but the linking itself is made once and shared.
//
// Loop thread. Owns the shard's compressors and its write buffer.
// Invariant: a session's window position moves by each message appended compressed, in the order of
// appending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/assembler.h"
#include "codec/standalone.h"
#include "fanout/applied.h"
#include "fanout/forms.h"
#include "fanout/write_buffer.h"
#include "session/session.h"

namespace tickwire {

// A larger message goes out plain: to compress it would hold the loop up (zlib takes some 17 ns a byte).
inline constexpr std::size_t kCompressedBytesMax = 262'144;

class Encoder {
 public:
  // `write_bytes_max`: of one write; a single larger message may pass it.
  explicit Encoder(std::size_t write_bytes_max) : write_bytes_max_(write_bytes_max) {}

  [[nodiscard]] WriteBuffer& buffer() { return buffer_; }
  // What one write may take in all.
  [[nodiscard]] bool fits(std::size_t bytes) const {
    return buffer_.empty() || buffer_.size() + bytes <= write_bytes_max_;
  }

  // Each appends one message, or returns false when the write is full.
  bool update(Session& session, Subscription& subscription, const Applied& applied);
  bool pattern_update(Session& session, PatternSubscription& subscription, const Applied& applied,
                      const PatternStep* step);
  // `update`: the topic's last one, or one before it.
  bool snapshot(Session& session, Subscription& subscription, TopicState& state, const Update& update);
  bool pattern_snapshot(Session& session, PatternSubscription& subscription, const TopicState& state);
  bool kept_update(Session& session, Subscription& subscription, const Update& update);  // from the ring
  bool gap(const Session& session, std::string_view text);
  bool status(const Session& session, const Update& update);

  std::uint64_t linked = 0;  // messages appended in that form
  std::uint64_t standalone = 0;

 private:
  [[nodiscard]] bool fits_message(const Session& session, const std::string& payload) const {
    return fits(session.framing.framed_bytes(payload.size()));
  }
  bool plain(const Session& session, std::string_view payload);
  // Data that goes plain: what follows it has no base.
  bool plain(const Session& session, Subscription& subscription, std::string_view payload);
  // The update alone, compressed, at the session's position.
  void append_standalone(Session& session, const std::string& payload, std::size_t message_bytes);
  void append_linked(Session& session, const Assembled& form, std::span<const std::uint32_t> gaps);
  const Assembled* linked_update(const Forms& forms, const Subscription& subscription, const Applied& applied,
                                 std::size_t bases);
  const Assembled* linked_step(const Forms& forms, const PatternStep& step, std::size_t bases);
  const Assembled* linked_snapshot(const Forms& forms, const Subscription& subscription, TopicState& state);

  const std::size_t write_bytes_max_;
  WriteBuffer buffer_;
  Standalone standalone_;
  Assembler assembler_;
};

}  // namespace tickwire
