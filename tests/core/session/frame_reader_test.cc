#include "session/frame_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tickwire {
namespace {

using Kind = FrameEvent::Kind;

constexpr unsigned kFinal = 0x80;

// A masked frame whose length is spelled with `length_bytes` (0, 2 or 8) bytes behind the first two.
std::string frame(unsigned first, const std::string& payload, int length_bytes = -1) {
  if (length_bytes < 0) length_bytes = payload.size() < 126 ? 0 : payload.size() <= 0xFFFF ? 2 : 8;
  std::string out{static_cast<char>(first)};
  out += static_cast<char>(0x80U | (length_bytes == 0 ? payload.size() : length_bytes == 2 ? 126U : 127U));
  for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(payload.size() >> (8 * i) & 0xFFU);
  const std::string mask = "\x12\xF4\x56\x78";
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::string close_frame(int code, const std::string& reason = "") {
  const std::string text{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return frame(kFinal | 8U, text + reason);
}

// What a reader makes of bytes that come in pieces of `piece` bytes; it ends with the first fault or close.
struct Seen {
  std::vector<FrameEvent> events;  // without payloads
  std::string data;                // of all fragments
  std::vector<std::string> control;
};

Seen read(const std::string& bytes, std::size_t piece) {
  Seen seen;
  FrameReader reader;
  std::string rest;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    rest += bytes.substr(at, piece);
    std::string now = rest;
    std::span<char> left = now;
    for (;;) {
      const FrameEvent event = reader.next(left);
      if (event.kind == Kind::kIncomplete) break;
      seen.data += event.fragment.bytes;
      if (event.kind == Kind::kPing || event.kind == Kind::kPong) seen.control.emplace_back(event.payload);
      seen.events.push_back(event);
      if (event.kind == Kind::kFault || event.kind == Kind::kClose) return seen;
    }
    EXPECT_LT(left.size(), kFrameRestBytesMax);
    rest.assign(left.data(), left.size());
  }
  return seen;
}

// However the bytes are cut.
Seen read(const std::string& bytes) {
  Seen whole = read(bytes, bytes.size());
  for (const std::size_t piece : {1U, 2U, 3U, 7U}) {
    const Seen pieces = read(bytes, piece);
    EXPECT_EQ(pieces.data, whole.data);
    EXPECT_EQ(pieces.control, whole.control);
    EXPECT_EQ(pieces.events.back().kind, whole.events.back().kind);
  }
  return whole;
}

TEST(FrameReader, ReadsMessagesOfEveryLengthHoweverTheyAreCut) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 125U, 126U, 127U, 65'535U, 65'536U, 70'001U}) {
    std::string payload(size, ' ');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
    const Seen seen = read(frame(kFinal | 1U, payload));
    EXPECT_EQ(seen.data, payload);
    const Fragment& last = seen.events.back().fragment;
    EXPECT_TRUE(last.final);
    EXPECT_EQ(last.bytes_to_come, 0U);
    EXPECT_FALSE(last.binary);
  }
}

TEST(FrameReader, TellsFragmentsOfAMessageAndControlFramesBetweenThem) {
  const Seen seen = read(frame(2, "ab") + frame(kFinal | 9U, "ping") + frame(0, "") +
                         frame(kFinal | 10U, "pong") + frame(kFinal | 0U, "cd") + frame(kFinal | 1U, "next"));
  ASSERT_EQ(seen.events.size(), 6U);
  EXPECT_EQ(seen.data, "abcdnext");
  EXPECT_EQ(seen.control, (std::vector<std::string>{"ping", "pong"}));
  const auto fragment = [&seen](std::size_t at) { return seen.events.at(at).fragment; };
  EXPECT_TRUE(fragment(0).first && !fragment(0).final && fragment(0).binary);
  EXPECT_TRUE(!fragment(2).first && !fragment(2).final && fragment(2).binary);
  EXPECT_TRUE(!fragment(4).first && fragment(4).final && fragment(4).binary);
  EXPECT_TRUE(fragment(5).complete() && !fragment(5).binary);
}

TEST(FrameReader, SaysWhatIsToComeOfAFrameBeforeItHasCome) {
  std::string head = frame(kFinal | 1U, std::string(70'000, 'x')).substr(0, 14);
  FrameReader reader;
  std::span<char> left = head;
  const FrameEvent event = reader.next(left);
  EXPECT_EQ(event.kind, Kind::kData);
  EXPECT_EQ(event.fragment.bytes_to_come, 70'000U);
  EXPECT_FALSE(event.fragment.final);
}

TEST(FrameReader, PassesTheBitOfCompressionOn) {
  const Seen seen = read(frame(0x41, "a") + frame(kFinal | 0U, "b"));
  EXPECT_TRUE(seen.events.at(0).fragment.rsv1);
  EXPECT_FALSE(seen.events.at(1).fragment.rsv1);
}

TEST(FrameReader, FailsWhatRfc6455Forbids) {
  struct Case {
    std::string what;
    std::string bytes;
    CloseCode code = CloseCode::kProtocolError;
  };
  std::string unmasked = frame(kFinal | 1U, "hello");
  unmasked[1] = 5;
  std::string negative = frame(kFinal | 2U, std::string(70'000, 'x')).substr(0, 14);
  negative[2] = '\x80';
  const std::vector<Case> cases{
      {"no mask", unmasked},
      {"reserved bit 2", frame(kFinal | 0x21U, "x")},
      {"reserved bit 3", frame(kFinal | 0x11U, "x")},
      {"reserved bit 1 of a ping", frame(kFinal | 0x49U, "x")},
      {"reserved bit 1 of a close frame", frame(kFinal | 0x48U, "")},
      {"reserved opcode", frame(kFinal | 3U, "x")},
      {"reserved control opcode", frame(kFinal | 11U, "x")},
      {"ping in fragments", frame(9, "x")},
      {"ping of 126 bytes", frame(kFinal | 9U, std::string(126, 'x'))},
      {"pong of 126 bytes", frame(kFinal | 10U, std::string(126, 'x'))},
      {"close frame of 126 bytes", frame(kFinal | 8U, "\x03\xE8" + std::string(124, 'x'))},
      {"continuation of nothing", frame(kFinal | 0U, "x")},
      {"continuation behind a whole message", frame(kFinal | 1U, "x") + frame(kFinal | 0U, "x")},
      {"message inside another", frame(1, "x") + frame(kFinal | 2U, "x")},
      {"125 bytes spelled with two", frame(kFinal | 1U, std::string(125, 'x'), 2)},
      {"65535 bytes spelled with eight", frame(kFinal | 1U, std::string(65'535, 'x'), 8)},
      {"length of 64 bits", negative},
      {"close frame of one byte", frame(kFinal | 8U, "x")},
      {"close reason not UTF-8", close_frame(1000, "\xFF"), CloseCode::kNotUtf8},
      {"close reason cut within a character", close_frame(1000, "\xE2\x82"), CloseCode::kNotUtf8},
  };
  for (const Case& c : cases) {
    const Seen seen = read(c.bytes);
    EXPECT_EQ(seen.events.back().kind, Kind::kFault) << c.what;
    EXPECT_EQ(seen.events.back().fault, c.code) << c.what;
    EXPECT_STRNE(seen.events.back().reason, "") << c.what;
  }
}

TEST(FrameReader, FailsAFaultWithItsFirstTwoBytes) {
  std::string ping = frame(kFinal | 9U, std::string(126, 'x')).substr(0, 2);
  FrameReader reader;
  std::span<char> left = ping;
  EXPECT_EQ(reader.next(left).kind, Kind::kFault);
}

TEST(FrameReader, TakesControlFramesOf125Bytes) {
  const std::string longest(125, 'x');
  EXPECT_EQ(read(frame(kFinal | 9U, longest)).control, std::vector<std::string>{longest});
  const Seen closed = read(close_frame(1000, std::string(123, 'x')));
  EXPECT_EQ(closed.events.back().close_code, 1000);
}

TEST(FrameReader, TakesTheCloseCodesThatMayBeSent) {
  const auto sent = [](int code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  };
  for (int code = 0; code < 65'536; ++code) {
    EXPECT_EQ(is_close_code(static_cast<std::uint16_t>(code)), sent(code)) << code;
  }
  EXPECT_EQ(read(close_frame(4999, "bye")).events.back().close_code, 4999);
  EXPECT_EQ(read(close_frame(1005)).events.back().kind, Kind::kFault);
  const Seen none = read(frame(kFinal | 8U, ""));
  EXPECT_EQ(none.events.back().kind, Kind::kClose);
  EXPECT_EQ(none.events.back().close_code, 0);
}

}  // namespace
}  // namespace tickwire
