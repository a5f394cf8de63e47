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
  if (fragment.rsv1) return close_with(CloseCode::kProtocolError, "reserved bit");
  if (fragment.binary) return close_with(CloseCode::kBinaryMessage, "binary message where text is spoken");
  if (text_.size() + fragment.bytes.size() + fragment.bytes_to_come > bytes_max_) {
    return close_with(CloseCode::kTooLarge, "message over the limit");
  }
  if (fragment.first && fragment.final) {
    if (!valid_utf8(fragment.bytes)) return close_with(CloseCode::kNotUtf8, "not UTF-8");
    return {std::nullopt, "", fragment.bytes};
  }
  if (++pieces_ > kMessagePiecesMax) return close_with(CloseCode::kTooLarge, "message in too many pieces");
  text_ += fragment.bytes;
  if (!check_utf8(fragment.final)) return close_with(CloseCode::kNotUtf8, "not UTF-8");
  if (!fragment.final) return {};
  return {std::nullopt, "", text_};
}

void IncomingMessage::release() {
  if (pieces_ == 0) return;
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
