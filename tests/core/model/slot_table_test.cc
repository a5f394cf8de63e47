#include "model/slot_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "model/keyed_hash.h"
#include "model/size_tree.h"

namespace tickwire {
namespace {

// `hashes`: how many different ones; the fewer, the more entries lie in each other's way.
void play(unsigned seed, std::uint64_t hashes) {
  std::mt19937 random(seed);
  const auto pick = [&](unsigned n) {
    return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random);
  };
  const auto hash_of = [&](std::uint32_t slot) { return slot % hashes * 0x9E3779B97F4A7C15U; };
  SlotTable table;
  std::map<std::uint32_t, bool> there;
  const auto find = [&](std::uint32_t slot) {
    return table.find(hash_of(slot), [&](std::uint32_t other) { return other == slot; });
  };
  for (int step = 0; step < 3'000; ++step) {
    const std::uint32_t slot = pick(200);
    bool& known = there[slot];
    ASSERT_EQ(find(slot), known ? slot : SlotTable::kNone);
    if (known) {
      table.erase(hash_of(slot), slot);
    } else {
      table.insert(hash_of(slot), slot);
    }
    known = !known;
  }
  for (const auto& [slot, known] : there) EXPECT_EQ(find(slot), known ? slot : SlotTable::kNone);
}

TEST(SlotTable, FindsWhatIsInItAndNothingElse) {
  play(1, 1'000);
}

TEST(SlotTable, FindsEachOfThoseThatShareAHash) {
  play(2, 1);
  play(3, 7);
}

TEST(SlotTable, NumbersItsSlotsAnew) {
  SlotTable table(100);
  for (std::uint32_t slot = 0; slot < 100; slot += 10) table.insert(slot, slot);
  const std::size_t before = table.memory_bytes();
  std::vector<std::uint32_t> numbers(100);
  for (std::uint32_t slot = 0; slot < 100; ++slot) numbers[slot] = slot / 10;
  table.renumber(numbers);
  for (std::uint32_t slot = 0; slot < 100; slot += 10) {
    EXPECT_EQ(table.find(slot, [&](std::uint32_t found) { return found == slot / 10; }), slot / 10);
  }
  EXPECT_LT(table.memory_bytes(), before);
}

TEST(SizeTree, SumsWhatAListWouldWhileSizesChange) {
  std::mt19937 random(4);
  const auto pick = [&](unsigned n) {
    return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random);
  };
  SizeTree tree;
  std::vector<std::uint32_t> list;
  for (int step = 0; step < 500; ++step) {
    if (list.empty() || pick(2) == 0) {
      list.push_back(pick(100));
      tree.push_back(list.back());
    } else {
      const std::size_t at = pick(static_cast<unsigned>(list.size()));
      list[at] = pick(100);
      tree.set(at, list[at]);
    }
    if (step % 100 == 99) tree = SizeTree(list);
    ASSERT_EQ(tree.all(), list);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      ASSERT_EQ(tree.before(i), sum);
      ASSERT_EQ(tree.at(i), list[i]);
      sum += list[i];
    }
    ASSERT_EQ(tree.before(list.size()), sum);
  }
}

// As Python, which uses the same function, computes them: PYTHONHASHSEED=0, hash(b"...").
TEST(KeyedHash, IsSipHash13) {
  EXPECT_EQ(sip_hash("a", {}), 0x407448d2b89b1813U);
  EXPECT_EQ(sip_hash("abcdefg", {}), 0x6db12aae9070f506U);
  EXPECT_EQ(sip_hash("abcdefgh", {}), 0x3f7b849c0b8e35eaU);
  EXPECT_EQ(sip_hash("b30182.6", {}), 0x7f03661f0df708d3U);
  EXPECT_EQ(sip_hash({"\x00\xff\x80", 3}, {}), 0x1fc4471f4c2c7f7cU);
  EXPECT_EQ(sip_hash(std::string(63, 'x'), {}), 0x1c308a9f11b6a742U);
  EXPECT_NE(sip_hash("a", {1, 0}), sip_hash("a", {0, 1}));
  EXPECT_EQ(keyed_hash("a"), keyed_hash("a"));
}

}  // namespace
}  // namespace tickwire
