// The optimal parse beside one that tries everything.
#include "codec/parse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "codec/fixed_huffman.h"
#include "codec/match_finder.h"

namespace tickwire::test {
namespace {

constexpr std::uint32_t kTypicalGap = 2048;

// Quotes of one topic: prices that come back, sizes that do not.
std::vector<std::string> quotes(std::size_t count) {
  std::uint32_t state = 5;
  const auto below = [&state](std::uint32_t end) {
    return ((state = state * 1664525 + 1013904223) >> 8) % end;
  };
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = R"({"topic":"book.SYM","seq":)" + std::to_string(990 + i) + R"(,"ts":)" +
                       std::to_string(1700000000000 + 91 * i) + R"(,"bids":[)";
    for (std::uint32_t level = below(5); level < 5; ++level) {
      text += "[\"" + std::to_string(100 + below(4)) + "." + std::to_string(10 + below(9)) + "0000\",\"" +
              std::to_string(below(100000)) + ".00000000\"],";
    }
    messages.push_back(text + R"("end"],"note":"as it was, as it was, so it is"})");
  }
  return messages;
}

class Exhaustive {
 public:
  Exhaustive(std::string_view message, std::span<const std::string_view> bases)
      : message_(message), bits_(message.size() + 1, std::numeric_limits<std::uint32_t>::max()) {
    bits_[0] = 0;
    for (std::size_t at = 0; at < message.size(); ++at) {
      reach(at, 1, kLiteralBits[static_cast<unsigned char>(message[at])].count);
      for (std::size_t j = 0; j < at; ++j) {
        copy(at, message.substr(j), distance_bits(static_cast<std::uint32_t>(at - j)).count);
      }
      std::size_t gap = 0;
      for (const std::string_view base : bases) {
        gap += kTypicalGap;
        for (std::size_t j = 0; j < base.size(); ++j) {
          copy(at, base.substr(j), distance_bits(static_cast<std::uint32_t>(gap + at - j)).count);
        }
      }
    }
  }
  [[nodiscard]] std::uint32_t bits() const { return bits_.back(); }

 private:
  void reach(std::size_t at, std::size_t length, std::uint32_t bits) {
    bits_[at + length] = std::min(bits_[at + length], bits_[at] + bits);
  }
  void copy(std::size_t at, std::string_view source, std::uint32_t distance) {
    const std::size_t limit = std::min({source.size(), message_.size() - at, std::size_t{kMatchBytesMax}});
    for (std::size_t n = 0; n < limit && source[n] == message_[at + n]; ++n) {
      if (n + 1 >= kMatchBytesMin) reach(at, n + 1, kLengthBits[n + 1].count + distance);
    }
  }
  std::string_view message_;
  std::vector<std::uint32_t> bits_;
};

std::uint32_t cost(const std::vector<Token>& tokens, std::string_view message) {
  std::uint32_t bits = 0;
  std::size_t place = 0;
  for (const Token& token : tokens) {
    bits += token.match != nullptr ? kLengthBits[token.length].count + token.match->bits
                                   : kLiteralBits[static_cast<unsigned char>(message[place])].count;
    place += token.length;
  }
  EXPECT_EQ(place, message.size());
  return bits;
}

TEST(Parse, OptimalIsWithinOnePercentOfTryingEverything) {
  const std::vector<std::string> messages = quotes(120);
  for (const std::size_t bases : {0U, 1U, 2U, 4U}) {
    MatchFinder finder;
    Parser parser;
    std::uint64_t greedy = 0, optimal = 0, exhaustive = 0;
    for (std::size_t i = 4; i < messages.size(); ++i) {
      const std::string& message = messages[i];
      std::vector<std::string_view> used;
      for (std::size_t k = 1; k <= bases; ++k) used.push_back(messages[i - k]);
      const std::vector<Match>& matches = finder.find(message, used, kTypicalGap);
      greedy += cost(parser.parse(Parse::kGreedy, message, matches), message);
      const std::uint32_t bits = cost(parser.parse(Parse::kOptimal, message, matches), message);
      const std::uint32_t least = Exhaustive(message, used).bits();
      ASSERT_GE(bits, least) << "the judge is wrong";
      optimal += bits;
      exhaustive += least;
    }
    EXPECT_LE(optimal * 100, exhaustive * 101) << bases << " bases";
    EXPECT_LT(optimal, greedy) << bases << " bases";
  }
}

TEST(MatchFinder, FindsWhatBeginsInsideAMatchAndEndsBeyondIt) {
  // "ABCDEF" is found first; "CDEFGHIJ" begins in its middle.
  MatchFinder finder;
  const std::array<std::string_view, 1> bases = {"..ABCDEF......CDEFGHIJ.."};
  const std::vector<Match>& matches = finder.find("##ABCDEFGHIJ##", bases, kTypicalGap);
  ASSERT_EQ(matches.size(), 2U);
  EXPECT_EQ(matches[0].start, 2U);
  EXPECT_EQ(matches[0].length, 6U);
  EXPECT_EQ(matches[0].offset, 0);
  EXPECT_EQ(matches[1].start, 4U);
  EXPECT_EQ(matches[1].length, 8U);
  EXPECT_EQ(matches[1].offset, 4 - 14);
}

TEST(MatchFinder, PrefersTheNearerOfTwoEqualSources) {
  MatchFinder finder;
  const std::array<std::string_view, 2> bases = {"__the same text__", "~~~~the same text~~~~"};
  const std::vector<Match>& matches = finder.find("the same text", bases, kTypicalGap);
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_EQ(matches[0].source, 0U);
  EXPECT_EQ(matches[0].offset, -2);
}

}  // namespace
}  // namespace tickwire::test
