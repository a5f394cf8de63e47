// Forms: the messages of one update in one format, as they go out: plain, compressed alone, and assembled
// against what came before. Each is made at first need and kept in the update (Update::forms), so that all
// shards share it. How a message is framed is not its business: see session/framing.h.
//
// Any thread. A Forms is a view, which the update outlives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/lazy.h"
#include "codec/assembled.h"
#include "codec/standalone.h"
#include "hub/update.h"
#include "protocol/format.h"

namespace tickwire {

class Forms {
 public:
  Forms(const Update& update, Format format);
  [[nodiscard]] Format format() const { return format_; }

  // The `update` message (`status`, when the update is status_only), and the `status` and `snapshot` messages
  // of this state.
  [[nodiscard]] const std::string& update() const;
  [[nodiscard]] const std::string& status() const;
  [[nodiscard]] const std::string& snapshot() const;

  // They were made before, so that they cost nothing now.
  [[nodiscard]] bool has_update() const { return made_.update.made(); }
  [[nodiscard]] bool has_snapshot() const { return made_.snapshot.made(); }

  // The same as permessage-deflate payloads that refer to nothing before them.
  [[nodiscard]] const std::string& standalone_update(Standalone& compressor) const;
  [[nodiscard]] const std::string& standalone_snapshot(Standalone& compressor) const;

  // The update message against what a subscription was sent before it. What those messages are follows from
  // the topic's history alone, so all shards share the form; `assemble` makes it.
  enum class Bases : std::uint8_t { kUpdate, kTwoUpdates, kSnapshot, kUpdateSnapshot };
  template <typename Assemble>
  [[nodiscard]] const Assembled& linked_update(Bases bases, Assemble&& assemble) const {
    return made_.linked.at(static_cast<std::size_t>(bases)).get(std::forward<Assemble>(assemble));
  }

 private:
  struct InFormat {
    Lazy<std::string> update;
    Lazy<std::string> status;
    Lazy<std::string> snapshot;
    Lazy<std::string> standalone_update;
    Lazy<std::string> standalone_snapshot;
    std::array<Lazy<Assembled>, 4> linked;
  };
  struct Kept final : UpdateForms {
    InFormat json;
    Lazy<PerBinaryFormat<InFormat>> binary;
  };
  static const InFormat& made(const Update& update, Format format);

  const Update& update_;
  const Format format_;
  const InFormat& made_;
};

}  // namespace tickwire
