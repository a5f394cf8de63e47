#include "model/json_write.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace tickwire {
namespace {

template <typename T>
std::string spelt(T number) {
  std::array<char, kNumberCharsMax> chars{};
  return {chars.data(), write_json_number(chars.data(), number)};
}

// What the standard library writes within Python's borders for exponents.
template <typename Real>
std::string shortest(Real number) {
  const Real magnitude = std::fabs(number);
  const bool fixed = magnitude == 0 || (magnitude >= Real(1e-4) && magnitude < Real(1e16));
  std::array<char, 64> chars{};
  const auto end = std::to_chars(chars.data(), chars.data() + chars.size(), number,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(chars.data(), end.ptr);
  return fixed && text.find('.') == std::string::npos ? text + ".0" : text;
}

TEST(JsonWrite, AFloatHasTheFewestDigitsThatReadBackAsIt) {
  EXPECT_EQ(spelt(0.1), "0.1");
  EXPECT_EQ(spelt(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(spelt(100.0), "100.0");
  EXPECT_EQ(spelt(0.0), "0.0");
  EXPECT_EQ(spelt(-0.0), "-0.0");
  EXPECT_EQ(spelt(-5.25), "-5.25");
  EXPECT_EQ(spelt(1e-4), "0.0001");
  EXPECT_EQ(spelt(std::nextafter(1e-4, 0.0)), "9.999999999999999e-05");
  EXPECT_EQ(spelt(9999999.99999999), "9999999.99999999");
  EXPECT_EQ(spelt(10000000.5), "10000000.5");
  EXPECT_EQ(spelt(99999999999.9999), "99999999999.9999");
  EXPECT_EQ(spelt(100000000000.5), "100000000000.5");
  EXPECT_EQ(spelt(std::nextafter(1e16, 0.0)), "9999999999999998.0");
  EXPECT_EQ(spelt(1e16), "1e+16");
  EXPECT_EQ(spelt(5e-324), "5e-324");
  EXPECT_EQ(spelt(std::numeric_limits<double>::lowest()), "-1.7976931348623157e+308");
}

TEST(JsonWrite, AFloatOf32BitsHasTheDigitsOfItsOwnWidth) {
  EXPECT_EQ(spelt(0.1F), "0.1");
  EXPECT_EQ(spelt(-16777216.0F), "-16777216.0");
  EXPECT_EQ(spelt(std::numeric_limits<float>::max()), "3.4028235e+38");
  EXPECT_EQ(spelt(std::numeric_limits<float>::denorm_min()), "1e-45");
}

// Decimals of every length, their neighbours, and any bits at all, against the standard library.
TEST(JsonWrite, EveryFloatIsSpeltAsTheStandardLibraryDoes) {
  std::mt19937_64 random(5);
  const auto check = [](auto number) {
    if (std::isfinite(number)) {
      ASSERT_EQ(spelt(number), shortest(number)) << std::hexfloat << number;
    }
  };
  for (int i = 0; i < 200'000; ++i) {
    const double whole = static_cast<double>(random() >> random() % 64);
    const double decimal = whole / std::pow(10, static_cast<double>(random() % 20));
    check(decimal);
    check(-decimal);
    check(std::nextafter(decimal, random() % 2 == 0 ? 0.0 : 1e300));
    check(std::bit_cast<double>(random()));
    check(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  }
}

TEST(JsonWrite, IntegersOfEveryLength) {
  EXPECT_EQ(spelt(std::int64_t{0}), "0");
  EXPECT_EQ(spelt(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(spelt(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(spelt(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  for (std::int64_t power = 1; power <= 1'000'000'000'000'000'000; power *= 10) {
    for (const std::int64_t number : {power - 1, power, power + 1, -power, 1 - power}) {
      EXPECT_EQ(spelt(number), std::to_string(number));
    }
    if (power == 1'000'000'000'000'000'000) break;
  }
}

TEST(JsonWrite, AStringIsEscapedOnlyWhereJsonDemandsIt) {
  std::string text = "x";
  append_json_string(text, "a\"\\\n\x01/é😀\x7f");
  EXPECT_EQ(text, "x\"a\\\"\\\\\\u000a\\u0001/é😀\x7f\"");
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    std::string quoted;
    append_json_string(quoted, one);
    EXPECT_EQ(nlohmann::json::parse(quoted), one);
    EXPECT_EQ(json_string_bytes(one), quoted.size());
  }
}

}  // namespace
}  // namespace tickwire
