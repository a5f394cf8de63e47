// Inflater: the receiving side of permessage-deflate, with bounds on what a peer can make us spend.
//
// One per connection that sends compressed messages; used by the thread that owns the connection.
// Memory: about 7 KiB of zlib state and a window of 2^window_bits bytes, 39 KiB at 15, from the first message
// on. park() brings it down to what the peer really sent, at most the window: between messages of a client
// that rarely sends, that is a few hundred bytes. Making it anew costs about a microsecond. Invariant: after
// an Error the stream is lost; nothing more may be fed, the connection is to be closed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct z_stream_s;  // zlib's

namespace tickwire {

class Inflater {
 public:
  struct Config {
    // Inflated. This alone bounds what a message can cost: honest messages reach the 1032 bytes a byte that
    // DEFLATE can give (a grid of equal rows), so a limit of the ratio would refuse what the protocol allows.
    std::size_t message_bytes_max = std::size_t{1} << 20;
    int window_bits = 15;          // DeflateAgreement::client_window_bits
    bool context_takeover = true;  // !DeflateAgreement::client_no_context_takeover
  };
  explicit Inflater(const Config& config);

  // The payload of a message, whole or in pieces as they come; `last`: it ends here. Appends what
  // became readable to `message`; after an Error it holds at most message_bytes_max bytes of this message.
  Status feed(std::string_view piece, bool last, std::string& message);

  // Before the first message: what messages may refer to, because somebody else inflated those before.
  void begin_with(std::string history);

  // Between messages only: give the memory back, keep the history if it will be referred to.
  void park();

  [[nodiscard]] bool parked() const { return stream_ == nullptr; }
  // About what it holds now, beside itself.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Deleter {
    void operator()(z_stream_s* stream) const;
  };
  Status unpark();
  Status inflate_all(std::string_view input, std::string& message);
  Status account(std::size_t inflated);
  Status begin_next_stream();
  [[nodiscard]] std::string history() const;
  void set_history(const std::string& window);

  const Config config_;
  std::unique_ptr<z_stream_s, Deleter> stream_;
  std::string history_;             // while parked
  std::size_t inflated_bytes_ = 0;  // of the message under way
  std::size_t final_blocks_ = 0;
  bool failed_ = false;
};

}  // namespace tickwire
