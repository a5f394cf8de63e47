#include "model/image_fields.h"

#include <gtest/gtest.h>

#include "fakes/random_updates.h"
#include "fakes/reference_merge.h"
#include "model/image_index.h"

namespace tickwire {
namespace {

// An image with what is known of its fields, as a topic keeps both.
struct Kept {
  std::string text;
  ImageFields fields;

  std::size_t merge(const std::string& update) {
    std::vector<JsonField> scanned;
    EXPECT_TRUE(scan_object(update, scanned)) << update;
    std::string out;
    const std::size_t bytes = fields.merge(text, ImageView{update, scanned}, out);
    if (bytes <= kImageBytesMax) text = out.empty() ? update : out;
    return bytes;
  }
};

std::string level(int i, const std::string& size) {
  return "\"b" + std::to_string(30'000 + i) + "\":" + size;
}

std::string book(int levels) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += (i > 0 ? "," : "{") + level(i, "\"1.5\"");
  return text + "}";
}

// Byte for byte, whatever is known of the image's fields: a list, an index, or nothing.
TEST(ImageFields, MergesAsTheReferenceDoesWhateverItKnows) {
  std::size_t indexed = 0;
  for (unsigned seed = 0; seed < 24; ++seed) {
    RandomUpdates updates(seed, std::array{3, 12, 30, 90}.at(seed % 4));
    Kept kept;
    std::string expected;
    for (int step = 0; step < 400; ++step) {
      const std::string update = updates.next(expected);
      const std::string before = std::exchange(expected, reference_merge(expected, update));
      Kept anew;
      anew.text = before;
      anew.fields.forget();
      anew.merge(update);
      ASSERT_EQ(anew.text, expected) << seed << "/" << step << " " << before << " <- " << update;
      EXPECT_EQ(kept.merge(update), expected.size());
      ASSERT_EQ(kept.text, expected) << seed << "/" << step << " " << before << " <- " << update;
      if (kept.fields.indexed()) ++indexed;
    }
  }
  EXPECT_GT(indexed, 1'000U);
}

TEST(ImageFields, AnImageThatRepeatsAKeyIsMergedAsTheReferenceDoes) {
  for (const std::string key : {"k1", "\\u006b1"}) {  // an event's text may repeat one
    const std::string text = book(40).substr(0, book(40).size() - 1) + ",\"k1\":1,\"" + key + "\":2}";
    Kept kept{text, {}};
    kept.fields.forget();
    kept.merge(R"({"k1":3})");
    EXPECT_EQ(kept.text, reference_merge(text, R"({"k1":3})"));
  }
}

// What a small update costs does not grow with the fields: they are never all read again.
TEST(ImageFields, ALargeImageStaysIndexedHoweverItsFieldsComeAndGo) {
  constexpr int kLevels = 2'000;
  Kept kept;
  kept.merge(book(kLevels));
  EXPECT_FALSE(kept.fields.indexed()) << "an image that is always replaced as a whole needs no index";
  for (int i = 0; i < 5'000; ++i) {  // a book whose prices move
    kept.merge("{" + level(i, "null") + "," + level(kLevels + i, "\"2.25\"") + "}");
    kept.merge(
        "{" +
        level(i + 1 + i % kLevels, "\"" + std::string(static_cast<std::size_t>(1 + i % 7), '9') + "\"") +
        "}");
    ASSERT_TRUE(kept.fields.indexed());
    ASSERT_LE(kept.fields.memory_bytes(), 40U * kLevels);
  }
  EXPECT_EQ(reference_fields(kept.text).size(), kLevels);
}

TEST(ImageFields, OfAnImageOfTwoThousandFieldsTakeWhatAListOfThemWould) {
  Kept kept;
  kept.merge(book(2'000));
  EXPECT_LE(kept.fields.memory_bytes(), 2'000 * sizeof(JsonField));
  kept.merge("{" + level(0, "1") + "}");
  EXPECT_LE(kept.fields.memory_bytes(), 2'000 * sizeof(JsonField) + 1'024);
}

// Merges of a large image leave no memory behind in small ones that the same thread merges.
TEST(ImageFields, OfASmallImageTakeLittleWhateverWasMergedBefore) {
  Kept large;
  large.merge(book(2'000));
  large.merge(book(1'900));
  Kept small;
  small.merge(R"({"a":1})");
  small.merge(R"({"b":1})");
  EXPECT_LE(small.fields.memory_bytes(), 4 * sizeof(JsonField));
}

TEST(ImageFields, GiveBackWhatAnImageNoLongerNeeds) {
  Kept kept;
  kept.merge(book(2'000));
  for (int i = 0; i < 1'970; ++i) kept.merge("{" + level(i, "null") + "}");
  EXPECT_TRUE(kept.fields.indexed());
  EXPECT_LE(kept.fields.memory_bytes(), 4'096U);
  for (int i = 1'970; i < 2'000; ++i) kept.merge("{" + level(i, "null") + "}");
  EXPECT_EQ(kept.text, "{}");
  kept.merge(R"({"a":1})");
  EXPECT_EQ(kept.text, R"({"a":1})");
  EXPECT_LE(kept.fields.memory_bytes(), 2 * sizeof(JsonField));
}

TEST(ImageFields, AnImageMayFillItsLimitAndNotPassIt) {
  Kept kept;
  kept.merge(book(2'000));
  // One update may be half as long as an image.
  kept.merge(R"({"pad":")" + std::string(kImageBytesMax / 2 - 100, 'x') + "\"}");
  const std::size_t room = kImageBytesMax - kept.text.size() - std::string_view(R"(,"x":"")").size();
  const auto padding = [](std::size_t bytes) { return R"({"x":")" + std::string(bytes, 'x') + "\"}"; };
  const std::string before = kept.text;
  EXPECT_EQ(kept.merge(padding(room + 1)), kImageBytesMax + 1);
  EXPECT_EQ(kept.text, before);
  EXPECT_EQ(kept.merge(padding(room)), kImageBytesMax);
  EXPECT_EQ(kept.text, reference_merge(before, padding(room)));
  EXPECT_EQ(kept.merge("{" + level(7, "\"10.25\"") + "}"), kImageBytesMax + 2);
  EXPECT_EQ(kept.merge("{" + level(7, "\"1.25\",") + level(8, "null") + "}"),
            kImageBytesMax + 1 - level(8, "\"1.5\",").size());
}

}  // namespace
}  // namespace tickwire
