#include "client/number_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "model/json_object.h"

namespace tickwire {
namespace {

TEST(NumberText, IsANumberOrAStringThatHoldsOne) {
  EXPECT_EQ(number_in("101.20"), 101.2);
  EXPECT_EQ(number_in(R"("101.20")"), 101.2);
  EXPECT_EQ(number_in(R"("+1e2")"), 100.0);
  EXPECT_EQ(number_in(R"("-0.5")"), -0.5);
  EXPECT_EQ(number_in("5e-324"), 5e-324);
  EXPECT_EQ(number_in("1e-999"), 0.0);
}

TEST(NumberText, IsNothingElse) {
  for (const char* text : {"",           "-",           "\"",       "\"\"",     "null",
                           "true",       "[1]",         "{}",       "+1",       R"("+-1")",
                           R"("++1")",   R"("-+1")",    R"("nan")", R"("inf")", R"("Infinity")",
                           R"("1_000")", R"(" 1")",     R"("1 ")",  R"("1\n")", R"("0x10")",
                           R"("1,5")",   R"("\u0031")", "1e999",    "-1e999",   R"("1e999")"}) {
    EXPECT_TRUE(std::isnan(number_in(text))) << text;
  }
}

// Texts of the characters of which numbers are made, some of them numbers.
TEST(NumberText, AgreesWithTheGrammarOfJson) {
  constexpr std::string_view kCharacters = "0123456789019+-..eEeE";
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same texts in each run
  int numbers = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (unsigned size = random() % 8; size > 0; --size) text += kCharacters[random() % kCharacters.size()];
    const bool is_number = is_json_number(text);
    numbers += static_cast<int>(is_number);
    EXPECT_EQ(!std::isnan(number_in(text)), is_number) << text;
    EXPECT_EQ(
        !std::isnan(number_in('"' + text + '"')),
        is_number || (text.starts_with('+') && !text.starts_with("+-") && is_json_number(text.substr(1))))
        << text;
  }
  EXPECT_GT(numbers, 10'000);
}

}  // namespace
}  // namespace tickwire
