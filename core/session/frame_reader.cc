#include "session/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "model/utf8.h"
#include "session/websocket_frame.h"

namespace tickwire {
namespace {

FrameEvent failed(const char* reason, CloseCode code = CloseCode::kProtocolError) {
  FrameEvent event;
  event.kind = FrameEvent::Kind::kFault;
  event.fault = code;
  event.reason = reason;
  return event;
}

bool is(unsigned opcode, Opcode known) {
  return opcode == static_cast<unsigned>(known);
}

// What is wrong with a client's frame; null: nothing, as far as it has come.
const char* fault_of(const FrameHead& head, bool in_message) {
  const bool known = head.opcode <= 2 || (head.opcode >= 8 && head.opcode <= 10);
  const bool begins = head.opcode != kContinuationOpcode;
  if (head.rsv23 || (head.rsv1 && head.is_control())) return "reserved bit";
  if (!known) return "reserved opcode";
  if (!head.masked) return "frame without a mask";
  if (head.is_control() && !head.final) return "control frame in fragments";
  if (head.is_control() && head.length_bytes > 0) return "control frame over 125 bytes";
  if (!begins && !in_message) return "continuation of no message";
  if (!head.is_control() && begins && in_message) return "message inside another";
  if (!head.complete || head.length_bytes == 0) return nullptr;
  if (head.length <= (head.length_bytes == 2 ? 125U : 0xFFFFU)) return "length not in its shortest form";
  return head.length >> 63U != 0 ? "length over 63 bits" : nullptr;
}

}  // namespace

bool is_close_code(std::uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

FrameEvent FrameReader::next(std::span<char>& bytes) {
  if (left_ > 0) return bytes.empty() ? FrameEvent{} : take_data(bytes);
  if (bytes.size() < 2) return {};
  const FrameHead head(std::string_view(bytes.data(), bytes.size()));
  if (const char* fault = fault_of(head, in_message_)) return failed(fault);
  if (!head.complete) return {};
  if (head.is_control() && bytes.size() < head.size() + head.length) return {};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(head.size()) - 4, 4, mask_.begin());
  bytes = bytes.subspan(head.size());
  return head.is_control() ? take_control(head, bytes) : begin_data(head, bytes);
}

FrameEvent FrameReader::begin_data(const FrameHead& head, std::span<char>& bytes) {
  first_ = head.opcode != kContinuationOpcode;
  if (first_) binary_ = is(head.opcode, Opcode::kBinary);
  final_ = head.final;
  rsv1_ = head.rsv1;
  in_message_ = !head.final;
  left_ = head.length;
  return take_data(bytes);
}

FrameEvent FrameReader::take_data(std::span<char>& bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  FrameEvent event;
  event.kind = FrameEvent::Kind::kData;
  event.fragment.bytes = unmask(bytes.first(size));
  bytes = bytes.subspan(size);
  left_ -= size;
  event.fragment.first = std::exchange(first_, false);
  event.fragment.final = final_ && left_ == 0;
  event.fragment.binary = binary_;
  event.fragment.rsv1 = rsv1_;
  event.fragment.bytes_to_come = static_cast<std::size_t>(left_);
  return event;
}

FrameEvent FrameReader::take_control(const FrameHead& head, std::span<char>& bytes) {
  const auto size = static_cast<std::size_t>(head.length);
  FrameEvent event;
  event.payload = unmask(bytes.first(size));
  bytes = bytes.subspan(size);
  if (!is(head.opcode, Opcode::kClose)) {
    event.kind = is(head.opcode, Opcode::kPing) ? FrameEvent::Kind::kPing : FrameEvent::Kind::kPong;
    return event;
  }
  event.kind = FrameEvent::Kind::kClose;
  if (event.payload.empty()) return event;
  if (event.payload.size() == 1) return failed("close frame of one byte");
  const auto byte = [&event](std::size_t at) { return static_cast<unsigned char>(event.payload[at]); };
  event.close_code = static_cast<std::uint16_t>(byte(0) << 8U | byte(1));
  if (!is_close_code(event.close_code)) return failed("close code that may not be sent");
  event.payload.remove_prefix(2);
  if (!valid_utf8(event.payload)) return failed("close reason not UTF-8", CloseCode::kNotUtf8);
  return event;
}

std::string_view FrameReader::unmask(std::span<char> bytes) {
  std::array<char, 8> twice{};
  for (std::size_t i = 0; i < twice.size(); ++i) twice.at(i) = mask_.at(i % 4);
  std::uint64_t mask = 0;
  std::memcpy(&mask, twice.data(), sizeof mask);
  std::size_t at = 0;
  for (; at + sizeof mask <= bytes.size(); at += sizeof mask) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    word ^= mask;
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  for (; at < bytes.size(); ++at) bytes[at] = static_cast<char>(bytes[at] ^ mask_.at(at % 4));
  std::memcpy(mask_.data(), twice.data() + bytes.size() % 4, mask_.size());
  return {bytes.data(), bytes.size()};
}

}  // namespace tickwire
