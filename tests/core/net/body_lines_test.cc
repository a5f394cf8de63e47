#include "net/body_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tickwire {
namespace {

constexpr std::size_t kBodyBytes = 2U << 20U;

TEST(BodyLines, AreThoseThatAreNotBlank) {
  BodyLines body("\r\n {\"a\":1} \t\n\n  \nb\r\n", 10);
  EXPECT_TRUE(body.run(Budget()));
  EXPECT_EQ(body.lines(), (std::vector<std::string_view>{"{\"a\":1}", "b"}));
  EXPECT_FALSE(body.too_many());
}

TEST(BodyLines, AreFoundUpToTheirLimitAndNotOneMore) {
  BodyLines most("1\n2\n3", 3);
  EXPECT_TRUE(most.run(Budget()));
  EXPECT_FALSE(most.too_many());
  const std::string many = "1\n2\n3\n4\n" + std::string(kBodyBytes, '\n');
  BodyLines past(many, 3);
  EXPECT_TRUE(past.run(Budget())) << "what is behind is not looked at";
  EXPECT_TRUE(past.too_many());
}

TEST(BodyLines, OfTheWorstBodyTakePieces) {
  for (const std::string& body : {std::string(kBodyBytes, '\n'), [] {
                                    std::string blank;
                                    while (blank.size() < kBodyBytes) blank += std::string(100, ' ') + "\n";
                                    return blank;
                                  }()}) {
    BodyLines lines(body, 10'000);
    std::size_t pieces = 1;
    for (bool done = false; !done; ++pieces) {
      const std::uint64_t before = Work::done();
      done = lines.run(Budget());
      EXPECT_LE(Work::done() - before, kPieceSteps + 1);
    }
    EXPECT_GT(pieces, 5U);
    EXPECT_TRUE(lines.lines().empty());
  }
}

}  // namespace
}  // namespace tickwire
