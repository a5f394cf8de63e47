#include "client/message_reader.h"

#include <algorithm>
#include <cstring>

namespace tickwire {
namespace {

// RFC 6455 section 5.2.
constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kRsv23 = 0x30;
constexpr unsigned kOpcode = 0x0F;
constexpr unsigned kMask = 0x80;
constexpr unsigned kContinuation = 0;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPong = 10;
constexpr std::size_t kControlBytesMax = 125;
constexpr std::size_t kMessageKeptBytesMax = std::size_t{64} << 10U;

bool is_control(unsigned first) {
  return (first & kOpcode) >= kClose;
}

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

bool MessageReader::read_header(Frame& frame) const {
  const std::string_view unread(buffer_.data() + begin_, end_ - begin_);
  if (unread.size() < 2) return false;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(unread[at]); };
  frame.first = byte(0);
  const std::size_t length = byte(1) & ~kMask;
  std::size_t more = 0;
  if (length == 126) more = 2;
  if (length == 127) more = 8;
  frame.header_bytes = 2 + more;
  if (unread.size() < frame.header_bytes) return false;
  frame.payload_bytes = more == 0 ? length : 0;
  for (std::size_t i = 0; i < more; ++i) frame.payload_bytes = frame.payload_bytes << 8U | byte(2 + i);
  if ((byte(1) & kMask) != 0) frame.first |= kRsv23;  // masked: as wrong as a reserved bit
  return true;
}

bool MessageReader::is_ours(const Frame& frame) const {
  const unsigned first = frame.first;
  const unsigned opcode = first & kOpcode;
  const bool rsv1 = (first & kRsv1) != 0;
  if ((first & kRsv23) != 0) return false;
  if (is_control(first)) {
    return opcode <= kPong && (first & kFin) != 0 && !rsv1 && frame.payload_bytes <= kControlBytesMax;
  }
  if (opcode > kBinary || (opcode == kContinuation) != in_message_) return false;
  if (rsv1 && (in_message_ || !config_.deflate)) return false;
  return frame.payload_bytes <= config_.message_bytes_max &&
         message_.size() * static_cast<std::size_t>(in_message_) + frame.payload_bytes <=
             config_.message_bytes_max;
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
    Frame frame;
    wanted_ = 0;
    if (!read_header(frame)) return Found::kNothing;
    if (!is_ours(frame)) return foreign();
    wanted_ = frame.header_bytes + frame.payload_bytes;
    if (end_ - begin_ < wanted_) return Found::kNothing;
    const std::string_view whole(buffer_.data() + begin_, wanted_);
    begin_ += wanted_;
    wanted_ = 0;
    if (is_control(frame.first)) {
      foreign_ = (frame.first & kOpcode) == kClose;  // after it, nothing counts
      text_ = whole;
      return Found::kControl;
    }
    Result<Found> found = take_data(frame, whole.substr(frame.header_bytes));
    if (!found || *found != Found::kNothing) return found;
  }
}

// kNothing: more fragments are to come.
Result<MessageReader::Found> MessageReader::take_data(const Frame& frame, std::string_view payload) {
  const bool whole = (frame.first & kFin) != 0;
  if (!in_message_) {
    if ((frame.first & kOpcode) == kBinary) return Found::kBinary;
    compressed_ = (frame.first & kRsv1) != 0;
  }
  if (whole && !in_message_ && !compressed_) {
    text_ = payload;
    return Found::kText;
  }
  in_message_ = !whole;
  if (!compressed_) {
    message_.append(payload);
  } else if (Status inflated = inflater_.feed(payload, whole, message_); !inflated) {
    return inflated.error();
  }
  if (!whole) return Found::kNothing;
  text_ = message_;
  return Found::kText;
}

}  // namespace tickwire
