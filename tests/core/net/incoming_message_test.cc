#include "net/incoming_message.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <string_view>
#include <vector>

#include "codec/standalone.h"
#include "model/utf8.h"

namespace tickwire {
namespace {

Fragment piece(std::string_view bytes, bool first, bool final) {
  Fragment fragment;
  fragment.bytes = bytes;
  fragment.first = first;
  fragment.final = final;
  return fragment;
}

TEST(IncomingMessage, HandsUpAWholeMessageWithoutCopyingIt) {
  IncomingMessage incoming(100);
  const std::string_view text = "hello";
  const Received received = incoming.feed(piece(text, true, true));
  ASSERT_TRUE(received.message.has_value());
  EXPECT_EQ(received.message->data(), text.data());
}

TEST(IncomingMessage, PutsPiecesTogether) {
  IncomingMessage incoming(100);
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(incoming.feed(piece("one ", true, false)).message.has_value());
    EXPECT_FALSE(incoming.feed(piece("", false, false)).message.has_value());
    const Received received = incoming.feed(piece("two", false, true));
    ASSERT_TRUE(received.message.has_value());
    EXPECT_EQ(*received.message, "one two");
    incoming.release();
  }
}

// A subscribe to a thousand topics comes in pieces; its 20 KB stayed with each connection.
TEST(IncomingMessage, OwnsNothingOfAMessageThatWasTaken) {
  const auto heap = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  IncomingMessage incoming(100'000);
  const std::string half(50'000, 'x');
  const std::size_t before = heap();
  EXPECT_FALSE(incoming.feed(piece(half, true, false)).message.has_value());
  EXPECT_TRUE(incoming.feed(piece(half, false, true)).message.has_value());
  incoming.release();
  EXPECT_LT(heap(), before + 1'000);
}

TEST(IncomingMessage, TakesAMessageAtTheLimitAndNoneOnePast) {
  const std::string text(100, 'x');
  EXPECT_TRUE(IncomingMessage(100).feed(piece(text, true, true)).message.has_value());
  EXPECT_EQ(IncomingMessage(99).feed(piece(text, true, true)).close, CloseCode::kTooLarge);

  IncomingMessage incoming(100);
  EXPECT_FALSE(incoming.feed(piece(text, true, false)).close.has_value());
  EXPECT_EQ(incoming.feed(piece("x", false, false)).close, CloseCode::kTooLarge);
}

TEST(IncomingMessage, RefusesByTheLengthThatAFrameAnnounces) {
  IncomingMessage incoming(100);
  Fragment fragment = piece("x", true, false);
  fragment.bytes_to_come = 100;
  EXPECT_EQ(incoming.feed(fragment).close, CloseCode::kTooLarge);
}

TEST(IncomingMessage, TakesAsManyPiecesAsTheLimitSaysAndNotOneMore) {
  IncomingMessage incoming(100);
  for (std::uint32_t i = 0; i < kMessagePiecesMax; ++i) {
    ASSERT_FALSE(incoming.feed(piece("", i == 0, false)).close.has_value());
  }
  const Received past = incoming.feed(piece("", false, true));
  EXPECT_EQ(past.close, CloseCode::kTooLarge);
  EXPECT_EQ(past.limit, Limit::kMessagePieces);
}

TEST(IncomingMessage, RefusesBinaryAndReservedBits) {
  Fragment fragment = piece("x", true, true);
  fragment.binary = true;
  EXPECT_EQ(IncomingMessage(100).feed(fragment).close, CloseCode::kWrongDataType);
  fragment.binary = false;
  fragment.rsv1 = true;
  EXPECT_EQ(IncomingMessage(100).feed(fragment).close, CloseCode::kProtocolError);
}

TEST(IncomingMessage, WhereABinaryFormatIsSpokenTextIsRefusedAndBytesAreNotJudged) {
  IncomingMessage incoming(100);
  incoming.expect_binary();
  Fragment fragment = piece("\xFF\xC3", true, true);
  fragment.binary = true;
  EXPECT_EQ(incoming.feed(fragment).message, "\xFF\xC3");
  incoming.release();
  fragment.final = false;
  EXPECT_FALSE(incoming.feed(fragment).close.has_value());
  fragment.first = false;
  fragment.final = true;
  EXPECT_EQ(incoming.feed(fragment).message, "\xFF\xC3\xFF\xC3");
  incoming.release();
  EXPECT_EQ(incoming.feed(piece("x", true, true)).close, CloseCode::kWrongDataType);
}

TEST(IncomingMessage, FindsBadUtf8AtTheFirstByteThatCannotBeRight) {
  IncomingMessage incoming(100);
  EXPECT_FALSE(incoming.feed(piece("gr\xC3", true, false)).close.has_value());
  EXPECT_EQ(incoming.feed(piece("(", false, false)).close, CloseCode::kNotUtf8);
  EXPECT_EQ(IncomingMessage(100).feed(piece("\xED\xA0", true, false)).close,
            CloseCode::kNotUtf8);  // surrogate
  EXPECT_EQ(IncomingMessage(100).feed(piece("\xFF", true, true)).close, CloseCode::kNotUtf8);
}

TEST(IncomingMessage, RefusesAMessageThatEndsInsideACharacter) {
  IncomingMessage incoming(100);
  EXPECT_FALSE(incoming.feed(piece("\xE2\x82", true, false)).close.has_value());
  EXPECT_EQ(incoming.feed(piece("", false, true)).close, CloseCode::kNotUtf8);
}

// Cut anywhere, each valid text goes through and each spoilt one does not.
TEST(IncomingMessage, JudgesUtf8AlikeHoweverItIsCut) {
  const std::vector<std::string> texts{"\x7F\xC2\x80\xDF\xBF",
                                       "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80",
                                       "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
                                       "\xE0\x9F\xBF",
                                       "\xF4\x90\x80\x80",
                                       "\xC1\xBF",
                                       "\xF0\x8F\xBF\xBF",
                                       "a\x80"};
  for (const std::string& text : texts) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      IncomingMessage incoming(100);
      Received received = incoming.feed(piece(std::string_view(text).substr(0, cut), true, false));
      if (!received.close) received = incoming.feed(piece(std::string_view(text).substr(cut), false, true));
      EXPECT_EQ(received.message.has_value(), valid_utf8(text))
          << testing::PrintToString(text) << " cut at " << cut;
    }
  }
}

TEST(IncomingMessage, InflatesWhatWasAgreedOnWholeOrInPieces) {
  IncomingMessage incoming(1000);
  DeflateAgreement agreement;
  agreement.accepted = true;
  incoming.expect_compressed(agreement);
  Standalone compressor;
  const std::string text = R"({"type":"ping","id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})";
  const std::string payload = compressor.compress(text);
  for (const std::size_t cut : {payload.size(), payload.size() / 2}) {
    Fragment first = piece(std::string_view(payload).substr(0, cut), true, cut == payload.size());
    first.rsv1 = true;
    Received received = incoming.feed(first);
    if (cut < payload.size())
      received = incoming.feed(piece(std::string_view(payload).substr(cut), false, true));
    ASSERT_TRUE(received.message.has_value());
    EXPECT_EQ(*received.message, text);
    incoming.release();
    EXPECT_EQ(incoming.feed(piece("plain", true, true)).message, "plain")
        << "a message may also go uncompressed";
  }
}

// libwebsockets names the bits of a frame's header with each piece of the frame.
TEST(IncomingMessage, TakesTheBitOfAFrameThatComesInPiecesOnce) {
  IncomingMessage incoming(1000);
  DeflateAgreement agreement;
  agreement.accepted = true;
  incoming.expect_compressed(agreement);
  Standalone compressor;
  const std::string payload = compressor.compress("hello, hello, hello");
  Fragment first = piece(std::string_view(payload).substr(0, 4), true, false);
  first.rsv1 = true;
  first.bytes_to_come = payload.size() - 4;
  ASSERT_FALSE(incoming.feed(first).close.has_value());
  Fragment rest = piece(std::string_view(payload).substr(4), false, true);
  rest.rsv1 = true;
  EXPECT_EQ(incoming.feed(rest).message, "hello, hello, hello");
  incoming.release();

  first.bytes_to_come = 0;
  ASSERT_FALSE(incoming.feed(first).close.has_value());
  EXPECT_EQ(incoming.feed(rest).close, CloseCode::kProtocolError) << "a second frame must not have it";
  incoming.release();
}

TEST(IncomingMessage, LetsGoOfAMessageThatIsNotWhole) {
  DeflateAgreement agreement;
  agreement.accepted = true;
  for (const std::string_view payload : {"\xFF\xFF\xFF", "\x4A"}) {
    IncomingMessage incoming(1000);
    incoming.expect_compressed(agreement);
    Fragment fragment = piece(payload, true, false);
    fragment.rsv1 = true;
    incoming.feed(fragment);
    incoming.release();
  }
}

TEST(IncomingMessage, RefusesABombAndWhatIsNoDeflateStream) {
  DeflateAgreement agreement;
  agreement.accepted = true;
  Standalone compressor;
  const auto close_of = [&](const std::string& payload) {
    IncomingMessage incoming(1000);
    incoming.expect_compressed(agreement);
    Fragment fragment = piece(payload, true, true);
    fragment.rsv1 = true;
    return incoming.feed(fragment).close;
  };
  EXPECT_EQ(close_of(compressor.compress(std::string(1000, 'a'))), std::nullopt);
  EXPECT_EQ(close_of(compressor.compress(std::string(1001, 'a'))), CloseCode::kTooLarge);
  EXPECT_EQ(close_of("\xFF\xFF\xFF"), CloseCode::kProtocolError);
  EXPECT_EQ(close_of(compressor.compress("\xFF")), CloseCode::kNotUtf8);
}

TEST(BeginsUtf8, HoldsForEveryProperBeginningOfACharacterAndForNothingElse) {
  EXPECT_FALSE(begins_utf8(""));
  for (int a = 0; a < 256; ++a) {
    const std::string one(1, static_cast<char>(a));
    EXPECT_EQ(begins_utf8(one), a >= 0xC2 && a <= 0xF4) << a;
    for (int b = 0; b < 256; ++b) {
      const std::string two = one + static_cast<char>(b);
      EXPECT_EQ(begins_utf8(two),
                utf8_sequence(two + "\x80", 0) == 3 || utf8_sequence(two + "\x80\x80", 0) == 4);
    }
  }
}

}  // namespace
}  // namespace tickwire
