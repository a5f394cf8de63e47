#include "model/topic_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tickwire {
namespace {

std::string message_of(std::string_view topic) {
  const Status status = check_topic(topic);
  return status ? "" : status.error().message;
}

bool match(std::string_view pattern, std::string_view topic) {
  return Pattern::parse(pattern).value().matches(topic);
}

TEST(TopicName, AcceptsTokensOfTheGrammar) {
  for (const char* topic : {"a", "ticker.BTC-USD", "trade.kraken.ETH-EUR", "candle.1m.AAPL", "x:y_z.0"}) {
    EXPECT_TRUE(check_topic(topic)) << topic;
  }
}

TEST(TopicName, RefusesWhatIsOutsideTheGrammarAndSaysWhere) {
  EXPECT_NE(message_of("").find("empty token"), std::string::npos);
  EXPECT_NE(message_of("a..b").find("empty token"), std::string::npos);
  EXPECT_NE(message_of("a.").find("empty token"), std::string::npos);
  EXPECT_NE(message_of("a b").find("' '"), std::string::npos);
  EXPECT_NE(message_of("a.\xC3\xA4").find("'?'"), std::string::npos);
  EXPECT_FALSE(check_topic("ticker.*"));
  EXPECT_FALSE(check_topic("ticker.>"));
}

TEST(TopicName, LimitIsExact) {
  EXPECT_TRUE(check_topic(std::string(kTopicNameBytesMax, 'a')));
  EXPECT_NE(message_of(std::string(kTopicNameBytesMax + 1, 'a')).find("201 bytes, at most 200"),
            std::string::npos);
}

TEST(TopicName, TokenLimitIsExact) {
  std::string topic = "t";
  for (std::size_t i = 1; i < kTopicTokensMax; ++i) topic += ".t";
  EXPECT_TRUE(check_topic(topic));
  EXPECT_FALSE(check_topic(topic + ".t"));
}

// Topics are checked in a pass of their own, patterns token by token.
TEST(TopicName, NamesOfThePlantItselfAreReserved) {
  for (const char* name : {"presence.a", "presence", "presence.>", "presence_names.a.b", "tickwire.*"}) {
    const Status reserved = check_not_reserved(name);
    ASSERT_FALSE(reserved) << name;
    EXPECT_EQ(reserved.error().code, ErrorCode::kBadTopic);
    EXPECT_EQ(reserved.error().field, "topic");
  }
  for (const char* name : {"presences.a", "a.presence", "Presence.a", "presence-a.b", "*.a", ">", ""}) {
    EXPECT_TRUE(check_not_reserved(name)) << name;
  }
}

TEST(TopicName, ATopicIsAPatternWithoutWildcards) {
  constexpr std::string_view kBytes = "a.*>% ";
  for (std::size_t n = 0; n < 6 * 6 * 6 * 6 * 6; ++n) {
    std::string text;
    for (std::size_t rest = n; rest > 0; rest /= kBytes.size()) text += kBytes[rest % kBytes.size()];
    EXPECT_EQ(check_topic(text).ok(), Pattern::parse(text).ok() && !is_pattern(text)) << text;
  }
}

TEST(Pattern, StarIsOneTokenAndGreaterThanIsTheRest) {
  EXPECT_TRUE(match("ticker.*", "ticker.BTC"));
  EXPECT_FALSE(match("ticker.*", "ticker"));
  EXPECT_FALSE(match("ticker.*", "ticker.coinbase.BTC"));
  EXPECT_TRUE(match("ticker.>", "ticker.coinbase.BTC"));
  EXPECT_FALSE(match("ticker.>", "ticker"));
  EXPECT_TRUE(match(">", "ticker"));
  EXPECT_TRUE(match("*.BTC", "ticker.BTC"));
  EXPECT_FALSE(match("*.BTC", "ticker.ETH"));
  EXPECT_TRUE(match("a.b", "a.b"));
  EXPECT_FALSE(match("a.b", "a.bc"));
}

TEST(Pattern, RefusesWildcardsWithinATokenAndAnEarlyGreaterThan) {
  for (const char* text : {"tick*", "a.>.b", "a.*b", ">>", ""}) EXPECT_FALSE(Pattern::parse(text)) << text;
}

TEST(Pattern, ValidIsWhatParseTakes) {
  std::vector<std::string> texts{std::string(kTopicNameBytesMax, 'x'),
                                 std::string(kTopicNameBytesMax + 1, 'x')};
  for (const std::size_t tokens : {kTopicTokensMax, kTopicTokensMax + 1}) {
    std::string text = "a";
    for (std::size_t i = 1; i < tokens; ++i) text += ".*";
    texts.push_back(text);
  }
  const std::string bytes = "a.*>!";  // all texts of up to six of them
  for (int length = 0, count = 1; length <= 6; ++length, count *= 5) {
    for (int n = 0; n < count; ++n) {
      std::string text;
      for (int rest = n; text.size() < static_cast<std::size_t>(length); rest /= 5) {
        text += bytes[static_cast<std::size_t>(rest % 5)];
      }
      texts.push_back(text);
    }
  }
  for (const std::string& text : texts) EXPECT_EQ(is_valid_pattern(text), Pattern::parse(text).ok()) << text;
}

TEST(TopicName, AnErrorShowsAShortPartOfIt) {
  EXPECT_EQ(shown_topic("a\nb\xC3\xA9"), "a?b??");
  const std::string most(kShownTopicBytesMax, 'x');
  EXPECT_EQ(shown_topic(most), most);
  EXPECT_EQ(shown_topic(most + "x"), most + "...");
}

TEST(Pattern, OverlapsWhenSomeTopicMatchesBoth) {
  const auto overlap = [](const char* a, const char* b) {
    return Pattern::parse(a).value().overlaps(Pattern::parse(b).value());
  };
  EXPECT_TRUE(overlap("a.*", "*.b"));
  EXPECT_TRUE(overlap("a.>", "*.b.c"));
  EXPECT_TRUE(overlap(">", "x"));
  EXPECT_TRUE(overlap("a.b", "a.b"));
  EXPECT_FALSE(overlap("a.*", "b.*"));
  EXPECT_FALSE(overlap("a.>", "a"));
  EXPECT_FALSE(overlap("a", "a.>"));
}

}  // namespace
}  // namespace tickwire
