// What an update says follows from the image before it, the data and the delivery, and from nothing else: not
// from the shapes that were seen, the index that a large image got, the way it was published, or whether the
// image was restored. So several hubs that apply the same records hold the same bytes.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"
#include "hub/hub.h"
#include "model/json_object.h"

namespace tickwire {
namespace {

constexpr std::string_view kTopic = "t.a";

class Source {
 public:
  explicit Source(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  // Few fields or many, with white space, nulls, keys that repeat, and values of all kinds.
  std::string object() {
    if (below(4) == 0) return row(below(3));
    const std::uint32_t fields = below(3) == 0 ? below(60) : below(4);
    const bool spaced = below(3) == 0;
    std::string text = spaced ? "{ " : "{";
    for (std::uint32_t i = 0; i < fields; ++i) {
      if (i > 0) text += spaced ? " , " : ",";
      text += key() + (spaced ? " : " : ":") + value();
    }
    return text + (spaced ? " }" : "}");
  }
  // The same keys each time, as a table's rows have them.
  std::string row(std::uint32_t table) {
    std::string text = "{";
    for (std::uint32_t i = 0; i < 3 + table; ++i) {
      text += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(below(100));
    }
    return text + "}";
  }

 private:
  std::string key() {
    return "\"" + std::string(below(2) == 0 ? "k" : "\\u006b") + std::to_string(below(50)) + "\"";
  }
  std::string value() {
    switch (below(5)) {
      case 0:
        return "null";
      case 1:
        return R"({"b": [1,  2],"a":null})";
      case 2:
        return "\"0.10\"";
      default:
        return std::to_string(below(1000)) + ".50";
    }
  }
  std::mt19937 random_;
};

// The keys in their order, of an object that a table could have written: no null, nothing twice.
std::optional<std::string> shape_of(ImageView object) {
  if (!is_compact(object)) return std::nullopt;
  std::string keys;
  std::set<std::string_view> seen;
  for (const JsonField& field : object.fields) {
    const std::string_view key = field.key_in(object.text);
    if (field.key_escaped || field.is_null_in(object.text) || !seen.insert(key).second) return std::nullopt;
    keys.append(key).append(",");
  }
  return keys;
}

class OneRow final : public Payloads {
 public:
  explicit OneRow(ImageView row) : row_(row) {}
  Result<ImageView> at(std::size_t /*row*/) override { return row_; }

 private:
  ImageView row_;
};

// Publishes in one of the ways in which programs do.
UpdatePtr publish(Hub& hub, std::string_view data, std::uint32_t way) {
  std::vector<JsonField> fields;
  EXPECT_TRUE(scan_object(data, fields));
  ImageView view{data, fields};
  if (way == 0) return hub.publish(kTopic, data).value();
  if (way >= 2) {
    if (const auto keys = shape_of(view)) view.shape = hub.shape_of(*keys);
  }
  if (way < 3) return hub.publish(kTopic, view).value();
  OneRow row(view);
  std::size_t taken = 0;
  EXPECT_TRUE(hub.publish_rows(std::array{kTopic}, row, 0, taken));
  EXPECT_EQ(taken, 1U);
  return hub.find(kTopic);
}

void run(std::uint32_t seed) {
  Source source(seed);
  FakeClock clock;
  const Delivery delivery = source.below(4) == 0 ? Delivery::kEvent : Delivery::kValue;
  const std::vector<TopicRule> rules{{.pattern = ">", .delivery = delivery}};
  Hub lasting(clock, rules);
  for (int i = 0; i < 60; ++i) {
    const UpdatePtr before = lasting.find(kTopic);
    Hub restored(clock, rules);
    if (before) {
      ASSERT_TRUE(restored.restore({.topic = std::string(kTopic),
                                    .seq = before->seq(),
                                    .ts = before->ts(),
                                    .status = before->status(),
                                    .image = std::string(before->image())}));
    }
    const std::string data = source.object();
    const UpdatePtr here = publish(lasting, data, source.below(4));
    const UpdatePtr there = publish(restored, data, source.below(4));
    ASSERT_EQ(here->data(), there->data()) << "seed " << seed;
    ASSERT_EQ(here->image(), there->image()) << "seed " << seed << ", update " << i << ": " << data;
    ASSERT_EQ(here->seq(), there->seq());
    ASSERT_EQ(here->status(), there->status());
    ASSERT_EQ(here->delivery(), there->delivery());
  }
}

TEST(Publish, SaysWhatTheImageTheDataAndTheDeliverySayAndNothingElse) {
  if (const char* seed = std::getenv("TICKWIRE_SEED"))
    return run(static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10)));
  for (std::uint32_t seed = 1; seed <= 200 && !testing::Test::HasFatalFailure(); ++seed) run(seed);
}

}  // namespace
}  // namespace tickwire
