#include "net/incoming_message.h"

#include <array>

#include "model/utf8.h"

namespace tickwire {
namespace {

constexpr Received close_with(CloseCode code, const char* reason) {
  return {code, reason, std::nullopt};
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

Received IncomingMessage::feed(const Fragment& fragment) {
  if (fragment.rsv1 && (!fragment.first || !deflate_.accepted)) {
    return close_with(CloseCode::kProtocolError, "reserved bit");
  }
  if (fragment.binary) return close_with(CloseCode::kBinaryMessage, "binary message where text is spoken");
  if (fragment.first) compressed_ = fragment.rsv1;
  return compressed_ ? feed_compressed(fragment) : feed_plain(fragment);
}

Received IncomingMessage::feed_plain(const Fragment& fragment) {
  if (text_.size() + fragment.bytes.size() + fragment.bytes_to_come > bytes_max_) {
    return close_with(CloseCode::kTooLarge, "message over the limit");
  }
  if (fragment.first && fragment.final) {
    if (!valid_utf8(fragment.bytes)) return close_with(CloseCode::kNotUtf8, "not UTF-8");
    return {std::nullopt, "", fragment.bytes};
  }
  text_ += fragment.bytes;
  return go_on(fragment.final);
}

Received IncomingMessage::feed_compressed(const Fragment& fragment) {
  if (inflater_ == nullptr) {
    Inflater::Config config;
    config.message_bytes_max = bytes_max_;
    config.window_bits = deflate_.client_window_bits;
    config.context_takeover = !deflate_.client_no_context_takeover;
    inflater_ = std::make_unique<Inflater>(config);
  }
  if (const Status inflated = inflater_->feed(fragment.bytes, fragment.final, text_); !inflated) {
    const bool large = inflated.error().code == ErrorCode::kTooLarge;
    return close_with(large ? CloseCode::kTooLarge : CloseCode::kProtocolError,
                      large ? "message over the limit" : "not a deflate stream");
  }
  return go_on(fragment.final);
}

Received IncomingMessage::go_on(bool final) {
  if (++pieces_ > kMessagePiecesMax) return close_with(CloseCode::kTooLarge, "message in too many pieces");
  if (!check_utf8(final)) return close_with(CloseCode::kNotUtf8, "not UTF-8");
  if (!final) return {};
  return {std::nullopt, "", text_};
}

void IncomingMessage::release() {
  if (pieces_ == 0) return;
  // Clients send little: making zlib's state anew costs less than keeping 40 KB for each of thousands.
  if (inflater_ != nullptr) inflater_->park();
  text_ = std::string();
  checked_ = 0;
  pieces_ = 0;
}

bool IncomingMessage::check_utf8(bool final) {
  while (checked_ < text_.size()) {
    const std::size_t size = utf8_sequence(text_, checked_);
    if (size == 0) return !final && begins_utf8(std::string_view(text_).substr(checked_));
    checked_ += size;
  }
  return true;
}

}  // namespace tickwire
