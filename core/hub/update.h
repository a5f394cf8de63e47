// Update: one immutable message of a topic, made once in the hub and shared by reference with everyone who
// registered interest: shards, store, in-process subscribers. Nothing else travels.
//
// Any thread. Its encoded forms, of each format, are made at first need by whoever needs them and never
// change after that. Invariants: seq is the topic's; a data update's seq is the previous one + 1, a status
// update repeats it.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/lazy.h"
#include "codec/assembled.h"
#include "codec/standalone.h"
#include "model/topic_kind.h"
#include "protocol/encode.h"

namespace tickwire {

class Topic;

class Update {
 public:
  struct Parts {
    Topic* topic = nullptr;  // of the hub, which outlives its updates
    std::uint64_t revision = 0;
    std::uint64_t seq = 0;
    std::int64_t ts = 0;  // server Unix time, ms
    TopicStatus status = TopicStatus::kLive;
    bool status_only = false;  // no data: the status changed
    bool is_kept = false;      // in a ring, and without its image: see kept()
    std::string data;          // the feed's bytes; empty when status_only
    std::string image;         // all updates merged; empty: the same bytes as data
  };
  explicit Update(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Topic& topic() const { return *parts_.topic; }
  // Per topic, + 1 with every Update, also one that changes only the status: which of two is newer.
  [[nodiscard]] std::uint64_t revision() const { return parts_.revision; }
  [[nodiscard]] std::uint64_t seq() const { return parts_.seq; }
  [[nodiscard]] std::int64_t ts() const { return parts_.ts; }
  [[nodiscard]] TopicStatus status() const { return parts_.status; }
  [[nodiscard]] bool status_only() const { return parts_.status_only; }
  [[nodiscard]] std::string_view data() const { return parts_.data; }
  [[nodiscard]] std::string_view image() const {
    assert(!parts_.is_kept);
    return parts_.image.empty() ? parts_.data : parts_.image;
  }
  // What a ring keeps of `update`, to send it again or to store it: the update itself, or, where its image is
  // large, one without it, whose image() must not be asked for.
  static std::shared_ptr<const Update> kept(const std::shared_ptr<const Update>& update);

  // What it holds once it was sent in the usual forms of JSON, about; the same at each call. Forms in a
  // binary format come on top, where one is spoken.
  [[nodiscard]] std::size_t memory_bytes() const {
    return sizeof(Update) + 4 * parts_.data.size() + parts_.image.size();
  }

  // The `update` message (`status`, when status_only), and the `status` and `snapshot` messages of this
  // state.
  [[nodiscard]] const EncodedMessage& update_message(Format format) const;
  [[nodiscard]] const EncodedMessage& status_message(Format format) const;
  [[nodiscard]] const EncodedMessage& snapshot_message(Format format) const;

  // The same as permessage-deflate payloads that refer to nothing before them.
  [[nodiscard]] const std::string& standalone_update(Format format, Standalone& compressor) const;
  [[nodiscard]] const std::string& standalone_snapshot(Format format, Standalone& compressor) const;

  // The update message against what a subscription was sent before it. What those messages are follows from
  // the topic's history alone, so all shards share the form; `assemble` makes it.
  enum class Bases : std::uint8_t { kUpdate, kTwoUpdates, kSnapshot, kUpdateSnapshot };
  template <typename Assemble>
  [[nodiscard]] const Assembled& linked_update(Format format, Bases bases, Assemble&& assemble) const {
    return forms(format).linked.at(static_cast<std::size_t>(bases)).get(std::forward<Assemble>(assemble));
  }

 private:
  struct Forms {
    Lazy<EncodedMessage> update;
    Lazy<EncodedMessage> status;
    Lazy<EncodedMessage> snapshot;
    Lazy<std::string> standalone_update;
    Lazy<std::string> standalone_snapshot;
    std::array<Lazy<Assembled>, 4> linked;
  };

  [[nodiscard]] TopicMessage message() const;
  [[nodiscard]] const Forms& forms(Format format) const {
    return format == Format::kJson ? json_forms_ : binary_forms(format);
  }
  [[nodiscard]] const Forms& binary_forms(Format format) const;

  const Parts parts_;
  Forms json_forms_;
  Lazy<std::unique_ptr<const PerBinaryFormat<Forms>>> binary_forms_;
};

using UpdatePtr = std::shared_ptr<const Update>;

}  // namespace tickwire
