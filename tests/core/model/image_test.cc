#include "model/image.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace tickwire {
namespace {

Image parsed(std::string text) {
  Image image{std::move(text), {}};
  EXPECT_TRUE(scan_object(image.text, image.fields)) << image.text;
  return image;
}

std::string merged(const std::string& image_text, const std::string& update_text) {
  const Image image = image_text.empty() ? Image{} : parsed(image_text);
  const Image update = parsed(update_text);
  Image out;
  merge_image({image.text, image.fields}, {update.text, update.fields}, out);
  std::vector<JsonField> rescanned;
  EXPECT_TRUE(scan_object(out.text, rescanned)) << out.text;
  EXPECT_EQ(rescanned.size(), out.fields.size());
  for (std::size_t i = 0; i < rescanned.size(); ++i) {
    EXPECT_EQ(rescanned[i].key_in(out.text), out.fields[i].key_in(out.text));
    EXPECT_EQ(rescanned[i].value_in(out.text), out.fields[i].value_in(out.text));
  }
  return out.text;
}

TEST(Image, KeepsTheBytesOfEveryValueAndTheOrderOfKeys) {
  EXPECT_EQ(merged(R"({"b":"0.10","a":1e5})", R"({"a":1.00})"), R"({"b":"0.10","a":1.00})");
  EXPECT_EQ(merged(R"({"a":1})", R"({ "b" : [ 1, 2 ] , "c":"\u00e9"})"),
            R"({"a":1,"b":[ 1, 2 ],"c":"\u00e9"})");
}

TEST(Image, NullDeletesAField) {
  EXPECT_EQ(merged(R"({"a":1,"b":2})", R"({"a":null})"), R"({"b":2})");
  EXPECT_EQ(merged(R"({"a":1})", R"({"a":null})"), "{}");
  EXPECT_EQ(merged("", R"({"a":null,"b":3})"), R"({"b":3})");
}

TEST(Image, KeysAreTheSameWhenTheirTextIsHoweverItIsEscaped) {
  EXPECT_EQ(merged(R"({"\u0061":1})", R"({"a":2})"), R"({"\u0061":2})");
  EXPECT_EQ(merged(R"({"😀":1})", R"({"\ud83d\ude00":null})"), "{}");
}

TEST(Image, ARepeatedKeyCountsWithItsLastValue) {
  EXPECT_EQ(merged("", R"({"a":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(merged(R"({"a":0})", R"({"a":1,"a":null})"), "{}");
}

TEST(Image, AnUpdateOfTheSameFieldsIsTheImage) {
  const Image image = parsed(R"({"a":1,"b":2})");
  const auto replaces = [&](const char* text) {
    const Image update = parsed(text);
    return replaces_image({image.text, image.fields}, {update.text, update.fields});
  };
  EXPECT_TRUE(replaces(R"({"a":3,"b":4})"));
  EXPECT_FALSE(replaces(R"({"a":3,"b":null})"));
  EXPECT_FALSE(replaces(R"({"b":3,"a":4})"));
  EXPECT_FALSE(replaces(R"({"a":3})"));
}

TEST(Image, TheFirstUpdateIsTheImageWhereAMergeWouldWriteItSo) {
  const auto is = [](const std::string& text) {
    const Image update = parsed(text);
    const bool is = is_image({update.text, update.fields});
    if (is) {
      EXPECT_EQ(merged("", text), text);
    }
    return is;
  };
  EXPECT_TRUE(is(R"({"a":[ 1 ],"b":"null"})"));
  EXPECT_TRUE(is(R"({"\u0061":1})"));
  EXPECT_FALSE(is(R"({"a":1,"a":2})"));
  EXPECT_FALSE(is(R"({"a":1,"\u0061":2})"));
  EXPECT_FALSE(is(R"({"a":1,"b":null})"));
  for (const char* const text : {R"( {"a":1})", R"({ "a":1})", R"({"a" :1})", R"({"a": 1})", R"({"a":1 })",
                                 R"({"a":1} )", R"({"a":1 ,"b":2})", R"({"a":1, "b":2})"}) {
    EXPECT_FALSE(is(text)) << text;
  }
}

// RFC 7396 at the top level, against nlohmann as the oracle, with few and with many (indexed) fields.
TEST(Image, MergesAsAnyJsonLibraryWould) {
  std::mt19937 random(11);
  const auto pick = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  for (int round = 0; round < 2'000; ++round) {
    const int keys = round % 2 == 0 ? 6 : 60;
    std::string image;
    nlohmann::json oracle = nlohmann::json::object();
    for (int step = 0; step < 6; ++step) {
      std::string update = "{";
      for (int i = pick(keys); i >= 0; --i) {
        const std::string key = pick(4) == 0 ? "k\\u0031" : "k" + std::to_string(pick(keys));
        update += (update.size() > 1 ? ",\"" : "\"") + key +
                  "\":" + (pick(4) == 0 ? "null" : std::to_string(pick(99)));
      }
      update += "}";
      image = merged(image, update);
      const nlohmann::json fields = nlohmann::json::parse(update);
      for (const auto& [key, value] : fields.items()) {
        if (value.is_null()) {
          oracle.erase(key);
        } else {
          oracle[key] = value;
        }
      }
      ASSERT_EQ(nlohmann::json::parse(image), oracle) << update;
    }
  }
}

}  // namespace
}  // namespace tickwire
