#include "codec/stream_inflater.h"

#include <algorithm>

namespace tickwire {
namespace {

constexpr std::size_t kStayMax = 1024;
// After so many messages without a refusal, one counts as an exception.
constexpr std::size_t kSteadyMessages = 8;
constexpr std::size_t kTextKeptBytesMax = std::size_t{64} << 10U;

}  // namespace

StreamInflater::StreamInflater(const Inflater::Config& config)
    : config_(config),
      fixed_(std::size_t{1} << static_cast<unsigned>(config.window_bits), config.message_bytes_max) {}

Status StreamInflater::feed(std::string_view piece, bool last) {
  const bool whole = last && !in_message_;
  if (!in_message_) {
    if (!config_.context_takeover) fixed_.forget();
    if (whole && !inflater_ && take_quickly(piece)) return ok_status();
    if (text_.capacity() > kTextKeptBytesMax) text_ = std::string();
    text_.clear();
  }
  if (!inflater_) {
    inflater_.emplace(config_);
    inflater_->begin_with(std::string(fixed_.history()));
    staying_ = whole ? stay_ : 1;
  }
  in_message_ = !last;
  if (Status fed = inflater_->feed(piece, last, text_); !fed || !last) return fed;
  message_ = text_;
  if (config_.context_takeover) fixed_.append(text_);
  if (--staying_ == 0) inflater_.reset();
  return ok_status();
}

bool StreamInflater::take_quickly(std::string_view payload) {
  if (const auto message = fixed_.inflate(payload)) {
    message_ = *message;
    ++taken_;
    return true;
  }
  stay_ = taken_ >= kSteadyMessages ? 1 : std::min(2 * stay_, kStayMax);
  taken_ = 0;
  return false;
}

}  // namespace tickwire
