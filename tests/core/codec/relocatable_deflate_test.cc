// What every inflater must see: the message, whatever was sent before it and however far back.
#include "codec/relocatable_deflate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/inflating_peer.h"
#include "codec/stream_sender.h"

namespace tickwire::test {
namespace {

const std::string kBase =
    R"({"type":"update","topic":"ticker.BTC-USD","seq":41,"ts":1700000000123,"data":{"bid":"101.20","ask":"101.25"}})";
const std::string kNext =
    R"({"type":"update","topic":"ticker.BTC-USD","seq":42,"ts":1700000000371,"data":{"bid":"101.35","ask":"101.40"}})";

std::string filler(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 12345;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

// Base, then filler, then the message, so that the base starts `gap` before it.
std::string received_at_gap(const std::string& base, const std::string& message, std::uint32_t gap) {
  StreamSender sender;
  InflatingPeer peer;
  EXPECT_EQ(peer.receive(sender.send_standalone("a", base).payload), base);
  const std::string between = filler(gap - base.size());
  EXPECT_EQ(peer.receive(sender.send_standalone("b", between).payload), between);
  const StreamSender::Sent sent = sender.send("a", message);
  EXPECT_EQ(sent.bases, 1U) << "gap " << gap;
  return peer.receive(sent.payload);
}

TEST(RelocatableDeflate, OneAssemblyServesStreamsInWhichTheBaseLiesAtDifferentDistances) {
  Assembler assembler;
  const std::array<std::string_view, 1> bases = {kBase};
  const Assembled form = assembler.assemble(kNext, bases);
  for (const std::size_t between : {0U, 1U, 7U, 100U, 1000U, 5000U, 20000U, 32000U}) {
    InflatingPeer peer;
    Standalone standalone;
    ASSERT_EQ(peer.receive(standalone.compress(kBase)), kBase);
    const std::string other = filler(between);
    ASSERT_EQ(peer.receive(standalone.compress(other)), other);
    const std::array<std::uint32_t, 1> gaps = {static_cast<std::uint32_t>(kBase.size() + between)};
    EXPECT_EQ(peer.receive(StreamSender::linked(form, gaps)), kNext) << between;
  }
}

// docs/RELOCATABLE-DEFLATE.md draws this message; what it shows must be what we send.
TEST(RelocatableDeflate, TheExampleInTheDocumentIsWhatIsSent) {
  std::ifstream file(std::filesystem::path(TICKWIRE_SOURCE_DIR) / "docs" / "RELOCATABLE-DEFLATE.md");
  ASSERT_TRUE(file.is_open()) << TICKWIRE_SOURCE_DIR;
  const std::string document((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string base = R"({"topic":"BTC-USD","seq":9,"bid":"101.20","ask":"101.25"})";
  const std::string message = R"({"topic":"BTC-USD","seq":10,"bid":"101.35","ask":"101.40"})";
  EXPECT_NE(document.find(base), std::string::npos);
  EXPECT_NE(document.find(message), std::string::npos);
  Assembler assembler;
  const std::array<std::string_view, 1> bases = {base};
  const Assembled form = assembler.assemble(message, bases);
  for (const std::uint32_t gap : {300U, 20000U}) {
    const std::array<std::uint32_t, 1> gaps = {gap};
    std::string hex;
    for (const char byte : StreamSender::linked(form, gaps)) {
      constexpr const char* kDigits = "0123456789abcdef";
      hex += {' ', kDigits[static_cast<unsigned char>(byte) >> 4], kDigits[byte & 15]};
    }
    EXPECT_NE(document.find(hex + "  "), std::string::npos) << "gap " << gap << ":" << hex;
    EXPECT_EQ(received_at_gap(base, message, gap), message);
  }
}

TEST(RelocatableDeflate, AnUpdateIsAFractionOfItsStandaloneForm) {
  StreamSender sender;
  const std::size_t alone = sender.send("a", kBase).payload.size();
  const std::size_t linked = sender.send("a", kNext).payload.size();
  EXPECT_LT(linked * 3, alone);
}

TEST(RelocatableDeflate, EveryDistanceOfTheWindowIsReached) {
  for (std::uint32_t power = 128; power <= 32768; power *= 2) {
    for (const std::uint32_t gap : {power - 1, power, power + 1, power + power / 2}) {
      if (gap < kBase.size() || gap + kNext.size() > kDistanceMax) continue;
      EXPECT_EQ(received_at_gap(kBase, kNext, gap), kNext) << gap;
    }
  }
}

TEST(RelocatableDeflate, ABaseExactlyAtTheLimitIsUsedAndOnePastItIsNot) {
  const auto limit = static_cast<std::uint32_t>(kDistanceMax - kNext.size());
  EXPECT_EQ(received_at_gap(kBase, kNext, limit), kNext);

  StreamSender sender;
  InflatingPeer peer;
  EXPECT_EQ(peer.receive(sender.send_standalone("a", kBase).payload), kBase);
  const std::string between = filler(limit + 1 - kBase.size());
  EXPECT_EQ(peer.receive(sender.send_standalone("b", between).payload), between);
  const StreamSender::Sent sent = sender.send("a", kNext);
  EXPECT_EQ(sent.bases, 0U);
  EXPECT_EQ(peer.receive(sent.payload), kNext);
}

// The farthest match there can be: the last bytes of the message against the first of a base at the limit.
TEST(RelocatableDeflate, TheLastBytesOfAMessageReachTheFirstOfABaseAtTheLimit) {
  const std::string base = "ABCDEFGHIJ" + filler(300);
  const std::string message = std::string(500, '.') + "ABCDEFGHIJ";
  const auto limit = static_cast<std::uint32_t>(kDistanceMax - message.size());
  EXPECT_EQ(received_at_gap(base, message, limit), message);
}

// The assembler's own text has the bases and the message one behind the other; a stream does not.
TEST(RelocatableDeflate, AMatchDoesNotRunPastTheEndOfItsBase) {
  const std::string first = "price of the day: ";
  const std::string second = "101.20 and rising; ";
  for (const std::string& message :
       {first + second + first, second + second, second + first, first + first}) {
    StreamSender sender;
    InflatingPeer peer;
    for (const std::string& base : {first, second}) {
      EXPECT_EQ(peer.receive(sender.send("a", base).payload), base);
      EXPECT_EQ(peer.receive(sender.send("b", kBase).payload), kBase);
    }
    const StreamSender::Sent sent = sender.send("a", message);
    EXPECT_EQ(sent.bases, 2U);
    EXPECT_EQ(peer.receive(sent.payload), message);
  }
}

TEST(RelocatableDeflate, MessagesOfAnySizeAgainstBasesOfAnySize) {
  const std::string text =
      kBase + kNext + filler(40) + std::string(700, 'x') + "\xE2\x82\xAC\xF0\x9F\x93\x88";
  for (const std::size_t base_bytes : {0U, 1U, 2U, 3U, 4U, 5U, 16U, 120U, 600U, 980U}) {
    for (const std::size_t bytes : {0U, 1U, 2U, 3U, 4U, 5U, 8U, 130U, 515U, 980U}) {
      for (const Parse parse : {Parse::kGreedy, Parse::kOptimal}) {
        StreamSender sender;
        InflatingPeer peer;
        const std::string base = text.substr(text.size() - std::min(text.size(), base_bytes));
        const std::string message = text.substr(text.size() - std::min(text.size(), bytes));
        ASSERT_EQ(peer.receive(sender.send("a", base).payload), base);
        const StreamSender::Sent sent = sender.send("a", message, 1, {.parse = parse});
        ASSERT_EQ(sent.bases, 1U);
        ASSERT_EQ(peer.receive(sent.payload), message) << base_bytes << " -> " << bytes;
      }
    }
  }
}

TEST(RelocatableDeflate, AMessageEqualToItsBaseIsAHandfulOfBytes) {
  StreamSender sender;
  InflatingPeer peer;
  ASSERT_EQ(peer.receive(sender.send("a", kBase).payload), kBase);
  const StreamSender::Sent again = sender.send("a", kBase);
  EXPECT_EQ(peer.receive(again.payload), kBase);
  EXPECT_LE(again.payload.size(), 6U);
}

TEST(RelocatableDeflate, TheLargestAssembledMessageAgainstTheLargestBaseInReach) {
  const std::string base = filler(kDistanceMax - kAssembledBytesMax);
  std::string message = base.substr(0, kAssembledBytesMax);
  for (std::size_t i = 0; i < message.size(); i += 37) message[i] = 'x';
  StreamSender sender;
  InflatingPeer peer;
  ASSERT_EQ(peer.receive(sender.send("a", base).payload), base);
  const StreamSender::Sent sent = sender.send("a", message);
  EXPECT_EQ(sent.bases, 1U);
  EXPECT_LT(sent.payload.size(), message.size() / 4);
  EXPECT_EQ(peer.receive(sent.payload), message);

  message += 'y';
  const StreamSender::Sent longer = sender.send("a", message);
  EXPECT_EQ(longer.bases, 0U);
  EXPECT_EQ(peer.receive(longer.payload), message);
}

TEST(RelocatableDeflate, ABaseTooLongToEverBeInReachIsLeftOut) {
  Assembler assembler;
  const std::string near = kBase;
  const std::string far = filler(kDistanceMax - kBase.size() - kNext.size());
  const std::string too_far = far + "x";
  const std::array<std::string_view, 2> fits = {near, far};
  const std::array<std::string_view, 2> does_not = {near, too_far};
  EXPECT_EQ(assembler.assemble(kNext, fits).bases, 2U);
  EXPECT_EQ(assembler.assemble(kNext, does_not).bases, 1U);
}

// Reversed in blocks of 8: every block is a match at an offset of its own, more than link has room for.
TEST(RelocatableDeflate, MoreDifferentDistancesThanLinkHasRoomForAreSpeltOut) {
  const std::string base = filler(8 * (kOpenDistancesMax + 100));
  std::string message;
  for (std::size_t i = base.size(); i > 0; i -= 8) message += base.substr(i - 8, 8);
  Assembler assembler;
  const std::array<std::string_view, 1> bases = {base};
  const Assembled form = assembler.assemble(message, bases);
  EXPECT_EQ(form.distances.size(), kOpenDistancesMax);
  StreamSender sender;
  InflatingPeer peer;
  ASSERT_EQ(peer.receive(sender.send("a", base).payload), base);
  EXPECT_EQ(peer.receive(sender.send("a", message).payload), message);
}

TEST(RelocatableDeflate, ASecondBaseBringsBackWhatTheFirstLost) {
  const std::string first = R"({"bids":[["101.20000","7.25000"]],"id":"6f0c2d9e"})";
  const std::string second = R"({"bids":[["101.30000","9.75000"]],"id":"77aa01bc"})";
  std::size_t bytes[2];
  for (const std::size_t bases : {1U, 2U}) {
    StreamSender sender;
    InflatingPeer peer;
    ASSERT_EQ(peer.receive(sender.send("a", first).payload), first);
    ASSERT_EQ(peer.receive(sender.send("other", kBase).payload), kBase);
    ASSERT_EQ(peer.receive(sender.send("a", second).payload), second);
    const StreamSender::Sent sent = sender.send("a", first, bases);
    EXPECT_EQ(sent.bases, bases);
    EXPECT_EQ(peer.receive(sent.payload), first);
    bytes[bases - 1] = sent.payload.size();
  }
  EXPECT_LT(bytes[1] + 8, bytes[0]);
}

TEST(RelocatableDeflate, ACostEstimateThatIsWrongChangesTheSizeOnly) {
  for (const std::uint32_t typical : {0U, 1U, 300U, 2048U, 30000U, 1000000U}) {
    StreamSender sender;
    InflatingPeer peer;
    ASSERT_EQ(peer.receive(sender.send("a", kBase).payload), kBase);
    const StreamSender::Sent sent = sender.send("a", kNext, 1, {.typical_gap_bytes = typical});
    EXPECT_EQ(peer.receive(sent.payload), kNext) << typical;
  }
}

TEST(Standalone, IsRightInAnyWindowBecauseItRefersToNothingBeforeItself) {
  Standalone standalone;
  const std::string first = standalone.compress(kBase);
  EXPECT_EQ(standalone.compress(kBase), first) << "the compressor must keep nothing";
  InflatingPeer fresh;
  EXPECT_EQ(fresh.receive(first), kBase);
  EXPECT_EQ(fresh.receive(first), kBase);
}

}  // namespace
}  // namespace tickwire::test
