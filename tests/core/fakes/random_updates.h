// Updates as no careful feed writes them: keys spelled in several ways and repeated, white space, nulls,
// values full of what is JSON's own syntax, whole objects that replace the image.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>

#include "fakes/reference_merge.h"

namespace tickwire {

class RandomUpdates {
 public:
  // Keys are some of `keys` different ones.
  RandomUpdates(unsigned seed, int keys) : random_(seed), keys_(keys) {}

  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  // Sometimes of the very fields of `image`, mostly of few, sometimes of many.
  std::string next(const std::string& image) {
    if (pick(12) == 0) return same_fields(image);
    const int fields = pick(8) == 0 ? pick(keys_ + 1) : pick(4);
    std::string text = space() + "{" + space();
    for (int i = 0; i < fields; ++i) {
      if (i > 0) text += "," + space();
      text += "\"" + key() + "\"" + space() + ":" + space() + (pick(4) == 0 ? "null" : value()) + space();
    }
    return text + "}" + space();
  }

 private:
  // An update as a feed of whole objects writes it; sometimes it deletes a field or has another order.
  std::string same_fields(const std::string& image) {
    std::vector<ReferenceField> fields = reference_fields(image);
    if (pick(4) == 0) std::shuffle(fields.begin(), fields.end(), random_);
    const int deleted = pick(4) == 0 && !fields.empty() ? pick(static_cast<int>(fields.size())) : -1;
    const std::string between = pick(3) == 0 ? ", " : ",";
    std::string text = "{";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const bool is_deleted = static_cast<int>(i) == deleted;
      text += (i > 0 ? between : "") + "\"" + fields[i].spelling + "\":" + (is_deleted ? "null" : value());
    }
    return text + "}";
  }

  std::string space() {
    static constexpr std::array<std::string_view, 3> kSpaces = {" ", "\n\t", "  \r\n"};
    return pick(6) == 0 ? std::string(kSpaces.at(static_cast<std::size_t>(pick(3)))) : std::string();
  }

  std::string key() {
    const std::string number = std::to_string(pick(keys_));
    switch (pick(10)) {
      case 0:
        return "\\u006b" + number;  // k
      case 1:
        return "k" + number + (pick(2) == 0 ? "\\/" : "/");
      case 2:
        return "k" + number + "\\\"\\\\";
      case 3:
        return number + (pick(2) == 0 ? "\\ud83d\\ude00" : "\xF0\x9F\x98\x80");
      case 4:
        return pick(9) == 0 ? "" : "k" + number;
      default:
        return "k" + number;
    }
  }

  std::string value() {
    switch (pick(8)) {
      case 0:
        return R"("null, \"}{\\\": [")";
      case 1:
        return std::string(14, '[') + "1e-5 ,{ \"k1\" :null}" + std::string(14, ']');
      case 2:
        return R"({"k1" : null , "":{}})";
      case 3:
        return "1.50e+5";
      case 4:
        return "-0";
      case 5:
        return "\"" + std::string(static_cast<std::size_t>(pick(40)), 'x') + "\"";
      default:
        return std::to_string(pick(100'000));
    }
  }

  std::mt19937 random_;
  int keys_;
};

}  // namespace tickwire
