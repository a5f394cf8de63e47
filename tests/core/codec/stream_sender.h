// StreamSender: one session's side of relocatable deflate, as fanout/ does it: a position, a trail per topic.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/relocatable_deflate.h"

namespace tickwire::test {

class StreamSender {
 public:
  explicit StreamSender(std::uint64_t position = 0) : position_(position) {}

  struct Sent {
    std::string payload;
    std::size_t bases = 0;  // 0: standalone
  };

  // Linked against as many bases as are in reach, at most `bases_max`; standalone without any.
  Sent send(const std::string& topic, const std::string& message, std::size_t bases_max = kBasesMax,
            Assembler::Options options = {}) {
    Subscription& to = subscriptions_[topic];
    std::array<std::uint32_t, kBasesMax> gaps{};
    std::size_t bases = std::min(bases_max, to.trail.reach(position_, message.size(), gaps));
    if (message.size() > kAssembledBytesMax) bases = 0;
    Sent sent;
    if (bases > 0) {
      const std::vector<std::string_view> texts(to.messages.begin(),
                                                to.messages.begin() + static_cast<std::ptrdiff_t>(bases));
      const Assembled form = assembler_.assemble(message, texts, options);
      sent.payload = linked(form, std::span(gaps).first(bases));
      sent.bases = form.bases;
    } else {
      sent.payload = standalone_.compress(message);
    }
    remember(to, message);
    return sent;
  }

  Sent send_standalone(const std::string& topic, const std::string& message) {
    Sent sent{standalone_.compress(message)};
    remember(subscriptions_[topic], message);
    return sent;
  }

  static std::string linked(const Assembled& form, std::span<const std::uint32_t> gaps) {
    constexpr char kUntouched = '\x5A';
    std::string payload(form.reserve_bytes() + 1, kUntouched);
    const std::size_t size = link(form, gaps, payload.data());
    if (size > form.payload_bytes_max()) return "payload_bytes_max is too small";
    if (payload.back() != kUntouched) return "link wrote past reserve_bytes";
    payload.resize(size);
    return payload;
  }

  [[nodiscard]] StreamPosition position() const { return position_; }

 private:
  struct Subscription {
    WindowTrail trail;
    std::deque<std::string> messages;  // nearest first
  };

  void remember(Subscription& to, const std::string& message) {
    to.trail.push(position_);
    to.messages.push_front(message);
    if (to.messages.size() > kBasesMax) to.messages.pop_back();
    position_.advance(message.size());
  }

  StreamPosition position_;
  std::map<std::string, Subscription> subscriptions_;
  Assembler assembler_;
  Standalone standalone_;
};

}  // namespace tickwire::test
