#include "net/incoming_message.h"

#include <array>

#include "model/utf8.h"

namespace tickwire {
namespace {

constexpr Received close_with(CloseCode code, const char* reason, std::optional<Limit> limit = {}) {
  return {.close = code, .reason = reason, .limit = limit};
}

constexpr Received not_utf8() {
  return close_with(CloseCode::kNotUtf8, "not UTF-8");
}

constexpr Received too_large(const char* reason = "message over message_bytes_max") {
  return close_with(CloseCode::kTooLarge, reason, Limit::kMessageBytes);
}

}  // namespace

bool begins_utf8(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 3) return false;
  // The second byte decides about overlong forms, surrogates and the end of Unicode: one of these fits every
  // lead byte. From the third on any continuation does.
  constexpr std::array kSeconds{'\x80', '\x90', '\xA0'};
  for (const char second : kSeconds) {
    std::string whole(bytes);
    if (whole.size() == 1) whole += second;
    whole.resize(4, '\x80');
    if (utf8_sequence(whole, 0) > bytes.size()) return true;
  }
  return false;
}

void IncomingMessage::expect_compressed(const DeflateAgreement& agreement) {
  window_bits_ = static_cast<std::uint8_t>(agreement.client_window_bits);
  context_takeover_ = !agreement.client_no_context_takeover;
}

Received IncomingMessage::feed(const Fragment& fragment) {
  if (reserved_bit_misused(fragment)) return close_with(CloseCode::kProtocolError, "reserved bit");
  if (any_) binary_ = fragment.binary;
  if (fragment.binary != binary_) {
    return close_with(CloseCode::kWrongDataType, binary_ ? "text message where a binary format is spoken"
                                                         : "binary message where text is spoken");
  }
  frame_ended_ = fragment.bytes_to_come == 0;
  if (fragment.first) compressed_ = fragment.rsv1;
  if (bytes_.size() + fragment.bytes.size() + fragment.bytes_to_come > bytes_max_) return too_large();
  if (fragment.first && fragment.final && !compressed_) {
    if (!binary_ && !valid_utf8(fragment.bytes)) return not_utf8();
    return {.message = fragment.bytes};
  }
  if (++pieces_ > kMessagePiecesMax)
    return close_with(CloseCode::kTooLarge, "message in too many pieces", Limit::kMessagePieces);
  if (compressed_) {
    const Received inflated = inflate(fragment);
    if (inflated.close) return inflated;
  } else {
    bytes_ += fragment.bytes;
  }
  if (!binary_ && !check_utf8(fragment.final)) return not_utf8();
  whole_ = fragment.final;
  if (!whole_) return {};
  return {.message = bytes_};
}

// It says that a message is compressed, on the first of its frames, which may come in several pieces.
bool IncomingMessage::reserved_bit_misused(const Fragment& fragment) const {
  if (!fragment.rsv1) return false;
  return fragment.first ? window_bits_ == 0 : frame_ended_;
}

Received IncomingMessage::inflate(const Fragment& fragment) {
  if (inflater_ == nullptr) {
    Inflater::Config config;
    config.message_bytes_max = bytes_max_;
    config.window_bits = window_bits_;
    config.context_takeover = context_takeover_;
    inflater_ = std::make_unique<Inflater>(config);
  }
  const Status inflated = inflater_->feed(fragment.bytes, fragment.final, bytes_);
  if (inflated) return {};
  if (inflated.error().code == ErrorCode::kTooLarge)
    return too_large("message over message_bytes_max when inflated");
  return close_with(CloseCode::kProtocolError, "not a deflate stream");
}

void IncomingMessage::release() {
  if (pieces_ == 0) return;
  // Clients send little: making zlib's state anew costs less than keeping 40 KB for each of thousands.
  if (inflater_ != nullptr && compressed_) {
    if (whole_) {
      inflater_->park();
    } else {
      inflater_.reset();  // in the midst of a message it cannot be parked
    }
  }
  whole_ = false;
  std::string().swap(bytes_);  // an assignment would keep its room
  checked_ = 0;
  pieces_ = 0;
}

void IncomingMessage::close() {
  release();
  inflater_.reset();
}

std::size_t IncomingMessage::inflater_bytes() const {
  return inflater_ == nullptr ? 0 : sizeof(Inflater) + inflater_->memory_bytes();
}

bool IncomingMessage::check_utf8(bool final) {
  checked_ = valid_utf8_end(bytes_, checked_);
  if (checked_ == bytes_.size()) return true;
  return !final && begins_utf8(std::string_view(bytes_).substr(checked_));
}

}  // namespace tickwire
