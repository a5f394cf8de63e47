// Offers of permessage-deflate as clients make them, and as none should.
#include "codec/deflate_offer.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace tickwire {
namespace {

struct Case {
  const char* header;
  bool accepted;
  const char* response;
  bool client_no_context = false;
  int client_window_bits = 15;
};

void PrintTo(const Case& offer, std::ostream* out) {
  *out << testing::PrintToString(std::string(offer.header));  // escaped: it becomes part of the test's name
}

class DeflateOffer : public testing::TestWithParam<Case> {};

TEST_P(DeflateOffer, IsAnsweredAsTheTableSays) {
  const Case& expected = GetParam();
  const DeflateAgreement agreement = agree_on_deflate(expected.header);
  ASSERT_EQ(agreement.accepted, expected.accepted) << expected.header;
  if (!expected.accepted) return;
  EXPECT_EQ(agreement.response(), expected.response) << expected.header;
  EXPECT_EQ(agreement.client_no_context_takeover, expected.client_no_context) << expected.header;
  EXPECT_EQ(agreement.client_window_bits, expected.client_window_bits) << expected.header;
  EXPECT_EQ(agreement.server_no_context_takeover,
            std::string(expected.response).find(';') != std::string::npos);
}

constexpr const char* kPlain = "permessage-deflate";
constexpr const char* kNoContext = "permessage-deflate; server_no_context_takeover";

INSTANTIATE_TEST_SUITE_P(
    AsClientsSendThem, DeflateOffer,
    testing::Values(Case{"permessage-deflate", true, kPlain},
                    Case{"permessage-deflate; client_max_window_bits", true,
                         kPlain},  // Chromium, websockets, ws
                    Case{"permessage-deflate, x-webkit-deflate-frame", true, kPlain},
                    Case{"x-webkit-deflate-frame, permessage-deflate", true, kPlain},
                    Case{"permessage-deflate; client_no_context_takeover", true, kPlain, true},
                    Case{"permessage-deflate; server_no_context_takeover", true, kNoContext},
                    Case{"permessage-deflate; client_no_context_takeover; server_no_context_takeover; "
                         "client_max_window_bits=12",
                         true, kNoContext, true, 12},
                    Case{"permessage-deflate; client_max_window_bits=\"10\"", true, kPlain, false, 10},
                    Case{"permessage-deflate;client_max_window_bits=\"1\\0\"", true, kPlain, false, 10},
                    Case{"  permessage-deflate\t;  client_max_window_bits  =  11 ", true, kPlain, false, 11},
                    Case{"permessage-deflate; client_max_window_bits=15", true, kPlain, false, 15},
                    Case{"permessage-deflate; client_max_window_bits=9", true, kPlain, false, 9},
                    Case{"permessage-deflate; client_max_window_bits=8", true, kPlain, false, 9}));

INSTANTIATE_TEST_SUITE_P(
    FallingBackToALaterOffer, DeflateOffer,
    testing::Values(Case{"permessage-deflate; server_max_window_bits=10, permessage-deflate", true, kPlain},
                    Case{"permessage-deflate; server_max_window_bits=10; client_no_context_takeover, "
                         "permessage-deflate; server_no_context_takeover",
                         true, kNoContext},
                    Case{"permessage-deflate; x=\"a,b;c\", permessage-deflate", true, kPlain},
                    Case{"permessage-deflate; x=\"a\\\",b\", permessage-deflate", true, kPlain},
                    Case{"permessage-deflate;, permessage-deflate", true, kPlain},
                    Case{"permessage-deflate x, permessage-deflate", true, kPlain},
                    Case{"(comment), permessage-deflate", true, kPlain},
                    Case{",, ,permessage-deflate,,", true, kPlain},
                    // The first that can be taken wins, though a later one asks for less.
                    Case{"permessage-deflate; server_no_context_takeover, permessage-deflate", true,
                         kNoContext}));

INSTANTIATE_TEST_SUITE_P(
    Declined, DeflateOffer,
    testing::Values(
        Case{"", false, ""}, Case{" , ,", false, ""}, Case{"permessage-bzip2", false, ""},
        Case{"permessage-deflat", false, ""}, Case{"permessage-deflate2", false, ""},
        Case{"permessage-deflate; server_max_window_bits", false, ""},
        Case{"permessage-deflate; server_max_window_bits=15", false, ""},
        Case{"permessage-deflate; unknown", false, ""}, Case{"permessage-deflate; unknown=1", false, ""},
        Case{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", false, ""},
        Case{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", false, ""},
        Case{"permessage-deflate; client_max_window_bits; client_max_window_bits", false, ""},
        Case{"permessage-deflate; client_max_window_bits=10; client_max_window_bits=10", false, ""},
        Case{"permessage-deflate; server_no_context_takeover=1", false, ""},
        Case{"permessage-deflate; client_no_context_takeover=true", false, ""},
        Case{"permessage-deflate; client_max_window_bits=7", false, ""},
        Case{"permessage-deflate; client_max_window_bits=16", false, ""},
        Case{"permessage-deflate; client_max_window_bits=08", false, ""},
        Case{"permessage-deflate; client_max_window_bits=010", false, ""},
        Case{"permessage-deflate; client_max_window_bits=+9", false, ""},
        Case{"permessage-deflate; client_max_window_bits=1O", false, ""},
        Case{"permessage-deflate; client_max_window_bits=", false, ""},
        Case{"permessage-deflate; client_max_window_bits=\"\"", false, ""},
        Case{"permessage-deflate; client_max_window_bits=\"10", false, ""},
        Case{"permessage-deflate; client_max_window_bits=\"10\\", false, ""},
        Case{"permessage-deflate; client_max_window_bits=\" 10\"", false, ""},
        Case{"permessage-deflate;", false, ""}, Case{"permessage-deflate; ;", false, ""},
        Case{"permessage-deflate =", false, ""}, Case{"permessage-deflate=1", false, ""},
        Case{"permessage-deflate client_max_window_bits", false, ""},
        Case{"Permessage-Deflate\x01", false, ""}, Case{"\"permessage-deflate\"", false, ""}));

// Any text must be read to its end; beside the table, whatever hypothesis of ours is wrong.
TEST(DeflateOfferFuzz, NoTextMakesTheParserFail) {
  const std::string pieces[] = {"permessage-deflate",
                                ";",
                                "=",
                                ",",
                                "\"",
                                "\\",
                                " ",
                                "client_max_window_bits",
                                "server_no_context_takeover",
                                "10",
                                "\x80",
                                std::string(1, '\0')};
  std::uint32_t state = 1;
  std::size_t accepted = 0;
  for (int round = 0; round < 200000; ++round) {
    std::string header = "permessage-deflate";
    while ((state = state * 1664525 + 1013904223) >> 30 != 0)
      header += pieces[(state >> 16) % std::size(pieces)];
    accepted += agree_on_deflate(header).accepted ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000U);
  EXPECT_LT(accepted, 199000U);
}

TEST(DeflateOffer, EachOfferIsReadInItsOrder) {
  const auto offers = read_deflate_offers(
      "x-other, permessage-deflate; server_max_window_bits=10, permessage-deflate; "
      "server_no_context_takeover");
  ASSERT_EQ(offers.size(), 2U);
  EXPECT_FALSE(offers[0].accepted);
  EXPECT_TRUE(offers[1].accepted);
  EXPECT_TRUE(offers[1].server_no_context_takeover);
}

}  // namespace
}  // namespace tickwire
