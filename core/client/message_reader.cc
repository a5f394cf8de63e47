#include "client/message_reader.h"

#include <algorithm>
#include <cstring>

namespace tickwire {
namespace {

constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPong = 10;
constexpr std::size_t kMessageKeptBytesMax = std::size_t{64} << 10U;

}  // namespace

MessageReader::MessageReader(const Config& config)
    : config_(config),
      inflater_({.message_bytes_max = config.message_bytes_max,
                 .window_bits = config.window_bits,
                 .context_takeover = config.context_takeover}),
      buffer_(kReadBytes) {}

std::span<char> MessageReader::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t needed = std::max(kReadBytes, wanted_);
  if (buffer_.size() > needed && end_ - begin_ <= needed / 2) {  // a large frame was read
    std::vector<char> smaller(needed);
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), smaller.begin());
    end_ -= begin_;
    begin_ = 0;
    buffer_.swap(smaller);
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size() || buffer_.size() < needed) buffer_.resize(std::max(needed, 2 * end_));
  return std::span(buffer_).subspan(end_);
}

void MessageReader::received(std::size_t bytes) {
  end_ += bytes;
}

bool MessageReader::is_ours(const FrameHead& head) const {
  if (head.rsv23 || head.masked) return false;
  if (head.is_control()) {
    return head.opcode <= kPong && head.final && !head.rsv1 && head.length <= kControlPayloadBytesMax;
  }
  if (head.opcode > kBinary || (head.opcode == kContinuationOpcode) != in_message_) return false;
  if (head.rsv1 && (in_message_ || !config_.deflate)) return false;
  const std::size_t before = in_message_ ? message_bytes_ : 0;
  return head.length <= config_.message_bytes_max - before;
}

MessageReader::Found MessageReader::foreign() {
  foreign_ = true;
  text_ = {buffer_.data() + begin_, end_ - begin_};
  begin_ = end_;
  wanted_ = 0;
  return text_.empty() ? Found::kNothing : Found::kForeign;
}

Result<MessageReader::Found> MessageReader::next() {
  if (!in_message_) {
    if (message_.capacity() > kMessageKeptBytesMax) message_ = std::string();
    message_.clear();
  }
  while (true) {
    if (foreign_) return foreign();
    wanted_ = 0;
    if (end_ - begin_ < 2) return Found::kNothing;
    const FrameHead head(std::string_view(buffer_.data() + begin_, end_ - begin_));
    if (!head.complete) return Found::kNothing;
    if (!is_ours(head)) return foreign();
    wanted_ = head.size() + static_cast<std::size_t>(head.length);
    if (end_ - begin_ < wanted_) return Found::kNothing;
    const std::string_view whole(buffer_.data() + begin_, wanted_);
    begin_ += wanted_;
    wanted_ = 0;
    if (head.is_control()) {
      foreign_ = head.opcode == kClose;  // after it, nothing counts
      text_ = whole;
      return Found::kControl;
    }
    Result<Found> found = take_data(head, whole.substr(head.size()));
    if (!found || *found != Found::kNothing) return found;
  }
}

// kNothing: more fragments are to come.
Result<MessageReader::Found> MessageReader::take_data(const FrameHead& head, std::string_view payload) {
  const bool whole = head.final;
  if (!in_message_) {
    if (head.opcode == kBinary) return Found::kBinary;
    compressed_ = head.rsv1;
  }
  if (whole && !in_message_ && !compressed_) {
    text_ = payload;
    return Found::kText;
  }
  message_bytes_ = (in_message_ ? message_bytes_ : 0) + payload.size();
  in_message_ = !whole;
  if (!compressed_) {
    message_.append(payload);
  } else if (Status inflated = inflater_.feed(payload, whole); !inflated) {
    return inflated.error();
  }
  if (!whole) return Found::kNothing;
  text_ = compressed_ ? inflater_.message() : std::string_view(message_);
  return Found::kText;
}

}  // namespace tickwire
