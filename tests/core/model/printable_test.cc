#include "model/printable.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tickwire {
namespace {

TEST(Printable, TextStaysAsItIs) {
  for (const std::string text : {"", "plain \\ text", "\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, WhatMovesACursorOrHidesIsEscaped) {
  EXPECT_EQ(printable("a\x1B[2Jb\r\n\t\x7F"), "a\\x1b[2Jb\\r\\n\\t\\x7f");
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "\\xc2\\x9b2J");
  EXPECT_EQ(printable("\xE2\x80\xAE"
                      "a\xE2\x80\xA8\xE2\x81\xA6"),
            "\\xe2\\x80\\xaea\\xe2\\x80\\xa8\\xe2\\x81\\xa6");
  EXPECT_EQ(printable("\xC2\xA0\xE2\x80\xA7"), "\xC2\xA0\xE2\x80\xA7") << "next to those";
}

TEST(Printable, WhatIsNoUtf8IsEscaped) {
  EXPECT_EQ(printable("\xFF"
                      "a\xC3"),
            "\\xffa\\xc3");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
}

TEST(Printable, NothingElseComesOutOfAnyBytes) {
  std::minstd_rand random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (int n = 0; n < 12; ++n) bytes += static_cast<char>(random() % 256);
    const std::string shown = printable(bytes);
    for (const char c : shown) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    EXPECT_EQ(printable(shown), shown);
  }
}

}  // namespace
}  // namespace tickwire
