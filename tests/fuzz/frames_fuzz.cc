// What a client sends once it is a WebSocket: its bytes taken apart into frames, and put together to
// messages, whole and in pieces as a socket gives them.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "fuzz.h"
#include "net/incoming_message.h"
#include "session/frame_reader.h"

using tickwire::fuzz::require;

namespace {

using namespace tickwire;

// Everything that a connection would have done.
struct Seen {
  std::vector<std::string> messages;
  std::vector<std::string> controls;
  std::optional<CloseCode> close;
  bool operator==(const Seen&) const = default;
};

class Peer {
 public:
  // As Connection does it: what is left is given again, in front of what follows.
  void receive(std::string_view bytes) {
    rest_ += bytes;
    std::span<char> left(rest_);
    while (!left.empty() && !over_) {
      const FrameEvent event = frames_.next(left);
      if (event.kind == FrameEvent::Kind::kIncomplete) break;
      on(event);
    }
    const std::string kept(left.data(), left.size());
    require(over_ || kept.size() < kFrameRestBytesMax, "what is left is short");
    rest_ = kept;
  }
  [[nodiscard]] const Seen& seen() const { return seen_; }

 private:
  static constexpr std::size_t kBytesMax = 4'096;

  void on(const FrameEvent& event) {
    if (event.kind == FrameEvent::Kind::kData) return on_fragment(event.fragment);
    if (event.kind == FrameEvent::Kind::kFault) return end(event.fault);
    require(event.payload.size() <= kControlPayloadBytesMax, "a control frame is short");
    seen_.controls.emplace_back(event.payload);
    over_ = event.kind == FrameEvent::Kind::kClose;
    if (over_) require(event.close_code == 0 || is_close_code(event.close_code), "a code that may be sent");
  }
  void on_fragment(const Fragment& fragment) {
    const Received received = message_.feed(fragment);
    if (received.close) return end(*received.close);
    if (!received.message) return;
    seen_.messages.emplace_back(*received.message);
    message_.release();
  }
  void end(CloseCode code) {
    seen_.close = code;
    over_ = true;
  }

  FrameReader frames_;
  IncomingMessage message_{kBytesMax};
  std::string rest_;
  Seen seen_;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = std::size_t{input.byte()} % 64 + 1;
  const std::string_view bytes = input.rest();
  Peer whole;
  whole.receive(bytes);
  Peer pieces;
  for (std::size_t at = 0; at < bytes.size(); at += piece) pieces.receive(bytes.substr(at, piece));
  // A message that is too long, or not UTF-8, may be refused a few bytes earlier or later.
  require(whole.seen().messages == pieces.seen().messages, "the same messages, however they are cut");
  require(whole.seen().controls == pieces.seen().controls, "the same control frames, however they are cut");
  require(whole.seen().close == pieces.seen().close, "the same end, however they are cut");
  return 0;
}
