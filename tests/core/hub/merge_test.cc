#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/random_updates.h"
#include "fakes/reference_merge.h"
#include "hub/hub.h"

namespace tickwire {
namespace {

std::vector<TopicRule> all_topics_are(Delivery delivery) {
  return {{.pattern = ">", .delivery = delivery}};
}

// The keys of an update without nulls, as a table names its shape; empty: it has none.
std::string keys_of(const std::string& update) {
  std::string keys;
  for (const ReferenceField& field : reference_fields(update)) {
    if (field.value == "null") return {};
    keys += "\"" + field.spelling + "\",";
  }
  return keys;
}

// What is published is the same bytes whatever came before: by a topic that knows its fields, one that was
// just restored with that image, and whether or not the payload tells its shape.
TEST(Merge, AnImageFollowsFromTheOneBeforeTheDataAndTheDeliveryAlone) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    FakeClock clock;
    RandomUpdates updates(seed, seed % 3 == 0 ? 4 : 60);
    Delivery delivery = Delivery::kValue;
    Hub hub(clock, all_topics_are(delivery));
    std::string image;
    for (int step = 0; step < 300; ++step) {
      if (updates.pick(20) == 0) {
        delivery = delivery == Delivery::kValue ? Delivery::kEvent : Delivery::kValue;
        hub.set_rules(all_topics_are(delivery));
      }
      if (updates.pick(30) == 0 && !image.empty()) {
        EXPECT_TRUE(hub.set_status("a.b", step % 2 == 0 ? TopicStatus::kHalted : TopicStatus::kLive));
      }
      const std::string data = updates.next(image);
      Hub restored(clock, all_topics_are(delivery));
      if (!image.empty()) {
        EXPECT_TRUE(restored.restore({.topic = "a.b", .seq = 1, .image = image}));
      }
      image = delivery == Delivery::kEvent ? data : reference_merge(image, data);

      std::vector<JsonField> fields;
      ASSERT_TRUE(scan_object(data, fields));
      const std::string keys = keys_of(data);
      const ShapeId shape = updates.pick(2) == 0 && !keys.empty() ? hub.shape_of(keys) : 0;
      const auto update = hub.publish("a.b", ImageView{data, fields, shape});
      const auto anew = restored.publish("a.b", data);
      ASSERT_TRUE(update && anew);
      ASSERT_EQ((*update)->image(), image) << seed << "/" << step << " " << data;
      ASSERT_EQ((*anew)->image(), image) << seed << "/" << step << " " << data;
      EXPECT_EQ((*update)->data(), data);
      EXPECT_EQ((*anew)->data(), data);
    }
  }
}

TEST(Merge, ALargeImageThatWouldPassItsLimitStaysAndGoesOn) {
  FakeClock clock;
  Hub hub(clock, {});
  std::string image = "{";
  for (int i = 0; i < 2'000; ++i) image += "\"level" + std::to_string(i) + "\":\"1.5\",";
  image.back() = '}';
  ASSERT_TRUE(hub.publish("book.x", image));
  ASSERT_TRUE(hub.publish("book.x", R"({"level7":"2.5"})"));
  const std::string half(kImageBytesMax / 2 - 100, 'x');
  ASSERT_TRUE(hub.publish("book.x", R"({"pad":")" + half + "\"}"));
  const std::string before(hub.find("book.x")->image());

  const auto refused = hub.publish("book.x", R"({"x":")" + half + "\"}");
  ASSERT_FALSE(refused);
  const std::size_t bytes = before.size() + std::string_view(R"(,"x":"")").size() + half.size();
  EXPECT_EQ(refused.error().message, "data: the image of book.x would have " + std::to_string(bytes) +
                                         " bytes, at most 2097152 are allowed");
  EXPECT_EQ(hub.find("book.x")->image(), before);
  const auto next = hub.publish("book.x", R"({"level3":null,"level4":"12345"})");
  ASSERT_TRUE(next);
  EXPECT_EQ((*next)->image(), reference_merge(before, R"({"level3":null,"level4":"12345"})"));
  EXPECT_EQ((*next)->seq(), 4U);
}

}  // namespace
}  // namespace tickwire
