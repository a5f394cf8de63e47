// StreamInflater: the receiving side of permessage-deflate for who reads a great many messages: FixedInflate
// where it can, else Inflater, with what both say of a message. A client's; a server, which has thousands of
// connections, has an Inflater for each.
//
// After a message that FixedInflate refused, Inflater goes on for a while, because bringing the history to it
// costs some microseconds: the longer, the more often that happens. One for each connection; one thread at a
// time. After an Error the stream is lost, as with Inflater.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/fixed_inflate.h"
#include "codec/inflater.h"

namespace tickwire {

class StreamInflater {
 public:
  explicit StreamInflater(const Inflater::Config& config);

  // The payload of a message, whole or in pieces as they come; `last`: it ends here.
  Status feed(std::string_view piece, bool last);
  // The message, once its last piece was fed; valid until the next call of feed().
  [[nodiscard]] std::string_view message() const { return message_; }

  // For tests: a message would be given to Inflater.
  [[nodiscard]] bool falls_back() const { return inflater_.has_value(); }

 private:
  bool take_quickly(std::string_view payload);

  const Inflater::Config config_;
  FixedInflate fixed_;
  std::optional<Inflater> inflater_;  // it has the history, too
  bool in_message_ = false;           // pieces of it were fed
  std::string text_;                  // what inflater_ made of them
  std::string_view message_;
  std::size_t stay_ = 1;     // so many messages go to inflater_ after the next refusal
  std::size_t staying_ = 0;  // so many more
  std::size_t taken_ = 0;    // quickly, since the last refusal
};

}  // namespace tickwire
