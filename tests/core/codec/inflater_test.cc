// What clients may send, and what they must not be able to do to us with it.
#include "codec/inflater.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "codec/deflating_peer.h"

namespace tickwire::test {
namespace {

const std::string kHello = "Hello";
const std::string kCommand = R"({"type":"subscribe","id":7,"topics":["ticker.BTC-USD","ticker.ETH-USD"]})";

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// What one whole message is read as; an error by its text.
std::string read(Inflater& inflater, std::string_view payload) {
  std::string message;
  const Status status = inflater.feed(payload, true, message);
  return status.ok() ? message : status.error().message;
}

ErrorCode error_of(Inflater& inflater, std::string_view payload) {
  std::string message;
  const Status status = inflater.feed(payload, true, message);
  EXPECT_FALSE(status.ok());
  return status.ok() ? ErrorCode::kInternal : status.error().code;
}

TEST(Inflater, ReadsTheExamplesOfTheRfc) {
  Inflater inflater({});
  EXPECT_EQ(read(inflater, bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), kHello);  // 7.2.3.1
  EXPECT_EQ(read(inflater, bytes({0xf2, 0x00, 0x11, 0x00, 0x00})), kHello);              // 7.2.3.2
  // 7.2.3.3: a stored block.
  EXPECT_EQ(read(inflater, bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})),
            kHello);
  // 7.2.3.4: BFINAL is 1.
  EXPECT_EQ(read(inflater, bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})), kHello);
  // 7.2.3.5: two blocks in one message.
  EXPECT_EQ(
      read(inflater, bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})),
      kHello);
  EXPECT_EQ(read(inflater, bytes({0x00})), "");  // 7.2.3.6
}

TEST(Inflater, ReadsAMessageInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < 40; ++piece) {
    DeflatingPeer peer;
    Inflater inflater({});
    for (int round = 0; round < 3; ++round) {
      const std::string payload = peer.send(kCommand);
      std::string message;
      for (std::size_t at = 0; at < payload.size(); at += piece) {
        const bool last = at + piece >= payload.size();
        ASSERT_TRUE(inflater.feed(std::string_view(payload).substr(at, piece), last, message).ok());
      }
      EXPECT_EQ(message, kCommand);
    }
  }
}

TEST(Inflater, KeepsTheContextFromMessageToMessage) {
  DeflatingPeer peer;
  Inflater inflater({});
  EXPECT_EQ(read(inflater, peer.send(kCommand)), kCommand);
  const std::string again = peer.send(kCommand);
  EXPECT_LT(again.size(), 12U);
  EXPECT_EQ(read(inflater, again), kCommand);
}

TEST(Inflater, KeepsTheContextWhileParkedAtTheSizeOfWhatWasSent) {
  DeflatingPeer peer;
  Inflater inflater({});
  EXPECT_TRUE(inflater.parked());
  for (int round = 0; round < 700; ++round) {
    const std::string message = kCommand + std::to_string(round);
    ASSERT_EQ(read(inflater, peer.send(message)), message);
    EXPECT_GT(inflater.memory_bytes(), 32768U);
    inflater.park();
    EXPECT_TRUE(inflater.parked());
    const std::size_t sent = (kCommand.size() + 3) * static_cast<std::size_t>(round + 1);
    EXPECT_LE(inflater.memory_bytes(), std::min<std::size_t>(sent, 32768) + 64);
  }
}

TEST(Inflater, ParksAtNoCostWhenTheClientKeepsNoContext) {
  DeflatingPeer peer;
  Inflater inflater({.context_takeover = false});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(read(inflater, peer.send(kCommand)), kCommand);
    peer.forget();
    inflater.park();
    EXPECT_LT(inflater.memory_bytes(), 32U);
  }
}

TEST(Inflater, RefusesAReferenceToAnEarlierMessageWhenNoneWasPromised) {
  DeflatingPeer peer;
  Inflater inflater({.context_takeover = false});
  EXPECT_EQ(read(inflater, peer.send(kCommand)), kCommand);
  EXPECT_EQ(error_of(inflater, peer.send(kCommand)), ErrorCode::kBadMessage);
}

TEST(Inflater, NeedsNoLargerWindowThanTheClientPromised) {
  DeflatingPeer peer(9);
  Inflater inflater({.window_bits = 9});
  for (int round = 0; round < 50; ++round) {
    const std::string message = kCommand + std::to_string(round);
    ASSERT_EQ(read(inflater, peer.send(message)), message);
    EXPECT_LT(inflater.memory_bytes(), 8192U);
  }
}

TEST(Inflater, TakesAMessageAtTheSizeLimitAndNotOnePastIt) {
  const Inflater::Config config{.message_bytes_max = 100000};
  for (const std::string& unit : {std::string("x"), kCommand}) {
    std::string text;
    while (text.size() < 100001) text += unit;
    DeflatingPeer peer;
    Inflater at(config);
    EXPECT_EQ(read(at, peer.send(std::string_view(text).substr(0, 100000))).size(), 100000U);
    DeflatingPeer other;
    Inflater past(config);
    std::string message;
    const Status status = past.feed(other.send(std::string_view(text).substr(0, 100001)), true, message);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kTooLarge);
    EXPECT_NE(status.error().message.find("100000"), std::string::npos) << status.error().message;
    EXPECT_LE(message.size(), 100000U);
  }
}

TEST(Inflater, TakesAMessageWithinTheSizeLimitHoweverWellItCompresses) {
  DeflatingPeer peer;
  const std::string bulk(std::size_t{1} << 20, 'x');
  Inflater inflater({});
  for (int round = 0; round < 3; ++round) {
    const std::string payload = peer.send(bulk);
    EXPECT_GT(bulk.size(), 500 * payload.size());
    ASSERT_EQ(read(inflater, payload), bulk);
  }
}

TEST(Inflater, StopsABombEarlyThoughItComesInPieces) {
  DeflatingPeer peer;
  const std::string payload = peer.send(std::string(8 << 20, '\0'));
  Inflater inflater({});
  std::string message;
  bool stopped = false;
  for (std::size_t at = 0; at < payload.size() && !stopped; at += 128) {
    stopped = !inflater.feed(std::string_view(payload).substr(at, 128), false, message).ok();
  }
  EXPECT_TRUE(stopped);
  EXPECT_LE(message.size(), std::size_t{1} << 20);
}

TEST(Inflater, TakesFinalBlocksAndKeepsTheWindowAcrossThem) {
  DeflatingPeer peer;
  Inflater inflater({});
  for (int round = 0; round < 10; ++round) {
    const std::string payload = peer.send_final(kCommand);
    EXPECT_LT(payload.size(), round == 0 ? 100U : 16U);
    ASSERT_EQ(read(inflater, payload), kCommand) << round;
  }
}

TEST(Inflater, TakesFourFinalBlocksInAMessageAndNotFive) {
  const std::string empty_final = bytes({0x03, 0x00});
  std::string four;
  for (int i = 0; i < 4; ++i) four += empty_final;
  Inflater at({});
  EXPECT_EQ(read(at, four + '\0'), "");
  EXPECT_EQ(read(at, four + '\0'), "") << "the count is of one message";
  Inflater past({});
  EXPECT_EQ(error_of(past, four + empty_final + '\0'), ErrorCode::kBadMessage);
}

TEST(Inflater, RefusesWhatIsNoWholeMessage) {
  const std::string payload = DeflatingPeer().send(kCommand);
  const std::vector<std::string> broken = {
      "",                                           // not even the empty block
      std::string(payload, 0, payload.size() / 2),  // cut
      payload + "x",                                // longer
      bytes({0xff, 0xff, 0xff}),                    // reserved block type
      bytes({0x00, 0x05, 0x00, 0x00, 0x00}),        // stored length and its complement disagree
      bytes({0x4a, 0x04, 0x42, 0x00, 0x00, 0x00}),  // refers to before the beginning
      bytes({0x01, 0x00, 0x00, 0xff, 0xff}),        // a final block, and no empty one begun after it
  };
  for (const std::string& bad : broken) {
    Inflater inflater({});
    EXPECT_EQ(error_of(inflater, bad), ErrorCode::kBadMessage) << testing::PrintToString(bad);
  }
}

TEST(Inflater, GarbageNeverReadsMoreThanItsLimits) {
  std::uint32_t state = 7;
  const auto random = [&state] { return (state = state * 1664525 + 1013904223) >> 8; };
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    DeflatingPeer peer;
    std::string payload = random() % 2 == 0 ? peer.send(kCommand) : std::string(1 + random() % 200, '\0');
    for (std::uint32_t flips = 1 + random() % 8; flips > 0; --flips) {
      payload[random() % payload.size()] = static_cast<char>(random());
    }
    Inflater inflater({.message_bytes_max = 4096});
    std::string message;
    bool last = false;
    for (std::size_t at = 0; !last; at += 50) {
      last = at + 50 >= payload.size();
      if (!inflater.feed(std::string_view(payload).substr(at, 50), last, message).ok()) {
        ++refused;
        break;
      }
    }
    ASSERT_LE(message.size(), 4096U);
  }
  EXPECT_GT(refused, 10000U);
}

}  // namespace
}  // namespace tickwire::test
