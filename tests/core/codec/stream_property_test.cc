// Random streams: many topics, sizes, orders and kinds of message, received by zlib's inflate.
// A failure prints its seed; TICKWIRE_SEED=<n> runs that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "codec/inflating_peer.h"
#include "codec/relocatable_deflate.h"
#include "codec/stream_sender.h"

namespace tickwire::test {
namespace {

constexpr std::size_t kLargestBytes = std::size_t{1} << 20;

// Messages that look like a feed's, and messages that look like nothing.
class MessageSource {
 public:
  explicit MessageSource(std::uint32_t seed) : random_(seed) {}

  std::string next(const std::string& topic) {
    switch (below(20)) {
      case 0:
        return noise(size());
      case 1:
        return repeated(size());
      case 2:
        return "";
      case 3:
        return std::string(1, static_cast<char>(below(256)));
      case 4:
        return ticker(topic, "snapshot", below(60));
      default:
        return ticker(topic, "update", below(4));
    }
  }
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

 private:
  // All orders of magnitude up to 1 MiB, the large ones rarely: they empty the window.
  std::size_t size() {
    const std::uint32_t bits = below(below(12) == 0 ? 21 : 13);
    return std::min<std::size_t>(kLargestBytes, (std::size_t{1} << bits) + below(1U << bits));
  }
  std::string noise(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (char& c : text) c = static_cast<char>(random_());
    return text;
  }
  std::string repeated(std::size_t bytes) {
    const std::string unit = noise(1 + below(300));
    std::string text;
    while (text.size() < bytes) text += unit;
    text.resize(bytes);
    return text;
  }
  std::string ticker(const std::string& topic, const std::string& type, std::uint32_t levels) {
    ++seq_;
    std::string text = R"({"type":")" + type + R"(","topic":")" + topic + R"(","seq":)" +
                       std::to_string(seq_) + R"(,"ts":)" + std::to_string(1700000000000 + 37 * seq_) +
                       R"(,"data":{"name":"Zürich – 東京 📈","levels":[)";
    for (std::uint32_t i = 0; i < levels; ++i) {
      text += (i == 0 ? "[\"" : ",[\"") + std::to_string(100000 + below(900)) + "." +
              std::to_string(below(100)) + "\",\"" + std::to_string(below(100000)) + ".00\"]";
    }
    return text + "]}}";
  }

  std::mt19937 random_;
  std::uint64_t seq_ = 0;
  std::string last_;
};

struct Tally {
  std::size_t linked = 0;
  std::size_t several_bases = 0;
  std::size_t standalone = 0;
  std::size_t plain = 0;
};

// One stream from `position` on. A plain message reaches the peer uncompressed, so neither window sees it.
void run_stream(std::uint32_t seed, std::uint64_t position, std::size_t messages, Tally& tally) {
  MessageSource source(seed);
  StreamSender sender(position);
  InflatingPeer peer;
  const std::uint32_t topics = 1 + source.below(120);
  for (std::size_t i = 0; i < messages; ++i) {
    const std::string topic = "ticker.T" + std::to_string(source.below(topics));
    const std::string message = source.next(topic);
    const std::uint32_t kind = source.below(12);
    if (kind == 0) {
      ++tally.plain;
      continue;
    }
    const Assembler::Options options{
        .parse = source.below(2) == 0 ? Parse::kGreedy : Parse::kOptimal,
        .typical_gap_bytes = 1U << source.below(16),
    };
    const StreamSender::Sent sent = kind == 1
                                        ? sender.send_standalone(topic, message)
                                        : sender.send(topic, message, 1 + source.below(kBasesMax), options);
    tally.linked += sent.bases > 0 ? 1 : 0;
    tally.several_bases += sent.bases > 1 ? 1 : 0;
    tally.standalone += sent.bases == 0 ? 1 : 0;
    ASSERT_EQ(peer.receive(sent.payload), message) << "seed " << seed << ", message " << i;
  }
}

TEST(StreamProperty, EveryMessageOfARandomStreamArrives) {
  if (const char* seed = std::getenv("TICKWIRE_SEED")) {
    Tally one;
    return run_stream(static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10)), 0, 2000, one);
  }
  Tally tally;
  for (std::uint32_t seed = 1; seed <= 120; ++seed) {
    run_stream(seed, 0, 250, tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.linked, 8000U);
  EXPECT_GT(tally.several_bases, 4000U);
  EXPECT_GT(tally.standalone, 3000U);
  EXPECT_GT(tally.plain, 1000U);
}

TEST(StreamProperty, AStreamGoesOnPastFourGigabytesAndPastWhatATrailCanNote) {
  Tally tally;
  for (std::uint32_t seed = 1000; seed < 1010; ++seed) {
    run_stream(seed, (std::uint64_t{1} << 32) - 20000, 400, tally);
    run_stream(seed, (std::uint64_t{1} << 46) - 20000, 400, tally);  // where a trail has no more bits
    run_stream(seed, (std::uint64_t{1} << 63) - 5000, 400, tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.linked, 1000U);
}

}  // namespace
}  // namespace tickwire::test
