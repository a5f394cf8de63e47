#include "session/apply_numbers.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace tickwire {
namespace {

TEST(ApplyNumbers, HoldsWhatWasAddedAndNothingElseInAnyOrder) {
  std::mt19937_64 random(1);
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{3}, ApplyNumbers::kChunk, 3 * ApplyNumbers::kChunk + 5}) {
    ApplyNumbers numbers;
    std::set<std::uint64_t> model;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t number = random() % (2 * count);
      numbers.add(number);
      model.insert(number);
    }
    numbers.finish();
    for (std::uint64_t number = 0; number <= 2 * count; ++number)
      ASSERT_EQ(numbers.contains(number), model.contains(number)) << number << " of " << count;
  }
}

TEST(ApplyNumbers, NoCallSortsMoreThanAChunk) {
  ApplyNumbers numbers;
  std::uint64_t longest = 0;
  for (std::uint64_t n = 200'000; n > 0; --n) {
    const std::uint64_t before = Work::done();
    numbers.add(n);
    if (n == 1) numbers.finish();
    longest = std::max(longest, Work::done() - before);
  }
  EXPECT_LE(longest, 2 * ApplyNumbers::kChunk / 8);
}

}  // namespace
}  // namespace tickwire
