// What cursors cost a loop: the steps (base/work.h) of one cursor, and of all that a run makes, are bounded,
// whatever streams ask for and however many there are.
#include <functional>
#include <memory>
#include <optional>

#include "base/work.h"
#include "plant.h"
#include "protocol/cursor.h"

namespace tickwire {
namespace {

// All cursors of one run, and what else it does for the updates of these tests.
constexpr std::uint64_t kRunStepsMax = 4 * kPieceSteps;
// One cursor, with the looks that it began before its steps were spent.
constexpr std::uint64_t kOneStepsMax = 3'000;

// A client of SSE: it keeps the last cursor that its stream told.
class Stream final : public Socket {
 public:
  Stream(Plant& plant, const std::string& topics)
      : plant_(plant), session(&plant.shard.open(*this, {}, {.carrier = Carrier::kEvents})) {
    plant.shard.on_message(*session, R"({"type":"subscribe","topics":[)" + topics + "]}");
  }
  ~Stream() override { plant_.shard.on_closed(*session); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  WriteResult write(std::string_view text) override {
    const std::size_t id = text.rfind("id: ");
    if (id == std::string_view::npos) return WriteResult::kSent;
    cursor = text.substr(id + 4, text.find('\n', id) - id - 4);
    ++cursors;
    return WriteResult::kSent;
  }
  void close(CloseCode code, std::string_view reason, std::string_view /*last*/) override {
    ADD_FAILURE() << static_cast<int>(code) << " " << reason;
  }
  void set_reading(bool /*on*/) override {}

  std::string cursor;
  int cursors = 0;

 private:
  Plant& plant_;

 public:
  Session* session;
};

struct CursorCost : testing::Test {
  using Streams = std::vector<std::unique_ptr<Stream>>;

  void publish(int topics) {
    for (int i = 0; i < topics; ++i) plant.publish("a.b.c.d.e.f.g.h." + std::to_string(i), R"({"n":1})");
  }
  // Different patterns, all of which match these topics.
  static std::string overlapping(int from, int patterns) {
    const std::string names = "abcdefgh";
    std::string list;
    for (int i = from; i < from + patterns; ++i) {
      list += list.empty() ? "\"" : ",\"";
      for (std::size_t token = 0; token < names.size(); ++token)
        list += (((static_cast<unsigned>(i) >> token) & 1U) != 0 ? "*" : names.substr(token, 1)) + ".";
      list += "*\"";
    }
    return list;
  }
  Streams open(int count, const std::function<std::string(int)>& topics) {
    Streams streams;
    for (int i = 0; i < count; ++i) streams.push_back(std::make_unique<Stream>(plant, topics(i)));
    rest();
    return streams;
  }
  // Each has a topic of its own, so none has the cursor of another.
  static std::string unlike(int i) { return R"("a.>","own.)" + std::to_string(i) + "\""; }
  // Many patterns take many runs.
  void rest() {
    for (int i = 0; i < 100'000; ++i) {
      const std::int64_t wait = plant.shard.run();
      if (wait < 0) return;
      plant.clock.advance_ms((wait + 999) / 1000);
    }
    FAIL() << "the shard does not come to rest";
  }
  static std::uint64_t steps_of(const std::function<void()>& call) {
    const std::uint64_t before = Work::done();
    call();
    return Work::done() - before;
  }
  // A topic ticks when all cursors are due; returns the steps of the longest run until nothing is left to do.
  std::uint64_t tick() {
    plant.clock.advance_ms(1'500);
    plant.publish("a.b.c.d.e.f.g.h.1", R"({"n":2})");
    std::uint64_t longest = 0;
    for (runs = 1; runs < 10'000; ++runs) {
      std::int64_t wait = 0;
      longest = std::max(longest, steps_of([&] { wait = plant.shard.run(); }));
      if (wait != 0) return longest;
    }
    ADD_FAILURE() << "the shard does not come to rest";
    return longest;
  }

  Plant plant;
  int runs = 0;
};

TEST_F(CursorCost, OneOfManyPatternsOverManyTopicsIsBoundedAsAWhole) {
  publish(1'000);
  for (const int patterns : {1, 2, 10, 40}) {
    Stream stream(plant, overlapping(0, patterns));
    rest();
    EXPECT_LT(steps_of([&] { EXPECT_EQ(plant.shard.cursor(*stream.session).substr(0, 3), "e1!"); }),
              kOneStepsMax)
        << patterns;
  }
}

TEST_F(CursorCost, OneOfPatternsThatMatchLittleOfThePlantNamesItAll) {
  for (int i = 0; i < 5'000; ++i) plant.publish("a." + std::to_string(i) + ".x", R"({"n":1})");
  std::string patterns;
  for (int i = 0; i < 100; ++i) patterns += (i > 0 ? ",\"*." : "\"*.") + std::to_string(i) + ".*\"";
  Stream stream(plant, patterns);
  rest();
  std::string text;
  EXPECT_LT(steps_of([&] { text = plant.shard.cursor(*stream.session); }), kOneStepsMax);
  const auto cursor = parse_cursor(text);
  ASSERT_TRUE(cursor.has_value());
  EXPECT_EQ(text.substr(0, 3), "e1,");
  EXPECT_EQ(cursor->topics.size(), 100U);
}

TEST_F(CursorCost, OneOfManyTopicsThatNobodyHasPublished) {
  std::string topics;
  for (int i = 0; i < 9'000; ++i) topics += (i > 0 ? ",\"t.x" : "\"t.x") + std::to_string(i) + "\"";
  Stream stream(plant, topics);
  plant.run();
  EXPECT_LT(steps_of([&] { EXPECT_EQ(plant.shard.cursor(*stream.session), "e1"); }), kOneStepsMax);
}

TEST_F(CursorCost, EventTopicsThatAreEmptyGoOnFrom0AndTakeNoRoomOfOthers) {
  std::string topics = R"("v.empty")";
  for (int i = 0; i < 1'000; ++i) topics += ",\"e.x" + std::to_string(i) + "\"";
  Plant events({}, {{.pattern = "e.>", .delivery = Delivery::kEvent}});
  events.publish("e.full", R"({"n":1})");
  Stream stream(events, topics + ",\"e.full\"");
  events.run();
  std::string cursor;
  EXPECT_LT(steps_of([&] { cursor = events.shard.cursor(*stream.session); }), kOneStepsMax);
  EXPECT_TRUE(cursor.starts_with("e1,e.full=1,e.x0=0,e.x1=0,")) << cursor.substr(0, 100);
  EXPECT_EQ(cursor.find("v.empty"), std::string::npos);
}

TEST_F(CursorCost, AfterAPatternThatIsCutTheOthersAreNotLookedAt) {
  publish(1'000);
  plant.publish("small.1", R"({"n":1})");
  Stream fits(plant, R"("small.*","*.b.c.d.e.f.g.h.*")");
  Stream cut(plant, R"("*.b.c.d.e.f.g.h.*","small.*")");
  plant.run();
  EXPECT_EQ(plant.shard.cursor(*fits.session), "e1!,small.1=1");
  EXPECT_EQ(plant.shard.cursor(*cut.session), "e1!");
  EXPECT_GE(plant.limited(Limit::kCursorBytes), 2U);
}

TEST_F(CursorCost, StreamsOfTheSamePatternsShareTheText) {
  publish(100);
  const Streams streams = open(500, [](int) { return overlapping(0, 2); });
  tick();
  const std::uint64_t steps = tick();
  EXPECT_LT(steps, kRunStepsMax);
  EXPECT_LE(runs, 2) << "it is a look each, so they all fit in the run of the update";
  for (const auto& stream : streams) ASSERT_EQ(stream->cursor, streams.front()->cursor);
  const auto cursor = parse_cursor(streams.front()->cursor);
  ASSERT_TRUE(cursor.has_value());
  EXPECT_EQ(cursor->topics.size(), 100U);
  EXPECT_EQ(cursor->topics.at("a.b.c.d.e.f.g.h.1").seq, 3U) << "as it is now";
}

TEST_F(CursorCost, StreamsThatAllDifferHaveTheirsOneAfterTheOther) {
  publish(100);
  const Streams streams = open(160, unlike);
  tick();
  std::vector<int> before;
  for (const auto& stream : streams) before.push_back(stream->cursors);
  EXPECT_LT(tick(), kRunStepsMax);
  EXPECT_GT(runs, 5);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    EXPECT_EQ(streams[i]->cursors, before[i] + 1) << i;
    const auto cursor = parse_cursor(streams[i]->cursor);
    ASSERT_TRUE(cursor.has_value());
    EXPECT_EQ(cursor->topics.at("a.b.c.d.e.f.g.h.1").seq, 3U) << i;
  }
}

TEST_F(CursorCost, AStreamThatEndsWhileItsCursorIsOwedIsForgotten) {
  publish(100);
  Streams streams = open(80, unlike);
  plant.clock.advance_ms(1'500);
  plant.publish("a.b.c.d.e.f.g.h.1", R"({"n":2})");
  EXPECT_EQ(plant.shard.run(), 0) << "some are owed theirs";
  const int last = streams.back()->cursors;
  streams.erase(streams.begin(), streams.end() - 1);
  plant.run();
  EXPECT_EQ(streams.back()->cursors, last + 1);
}

// What a text that is shared must not hide.
TEST_F(CursorCost, ATextIsSharedByThoseOnlyWhoHaveBeenSentTheSame) {
  publish(3);
  const Streams streams = open(2, [](int) { return std::string(R"("a.>")"); });
  Stream& one = *streams.front();
  Stream& other = *streams.back();
  EXPECT_EQ(plant.shard.cursor(*one.session), plant.shard.cursor(*other.session));
  const std::string before = plant.shard.cursor(*one.session);
  plant.publish("a.b.c.d.e.f.g.h.2", R"({"n":2})");
  plant.run();
  EXPECT_EQ(plant.shard.cursor(*one.session), plant.shard.cursor(*other.session));
  EXPECT_NE(plant.shard.cursor(*one.session), before);
  // One that has a topic of its own, one that is behind, and one that comes only now.
  plant.publish("z", R"({"n":1})");
  plant.shard.on_message(*one.session, R"({"type":"subscribe","topics":["z"]})");
  plant.shard.on_message(*other.session, R"({"type":"subscribe","topics":["a.>"],"max_rate":0.1})");
  plant.run();
  Stream third(plant, R"("a.>")");
  const std::string begins = plant.shard.cursor(*third.session);
  plant.publish("a.b.c.d.e.f.g.h.0", R"({"n":2})");
  plant.shard.run();
  EXPECT_NE(plant.shard.cursor(*one.session).find(",z=1"), std::string::npos);
  const auto behind = parse_cursor(plant.shard.cursor(*other.session));
  ASSERT_TRUE(behind.has_value());
  EXPECT_EQ(behind->topics.count("a.b.c.d.e.f.g.h.0"), 0U) << "it has not been sent that yet";
  plant.shard.run();
  EXPECT_NE(plant.shard.cursor(*third.session), begins);
}

}  // namespace
}  // namespace tickwire
