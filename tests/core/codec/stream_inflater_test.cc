// Whatever a server sends, StreamInflater says of it what Inflater says: the same messages, the same faults.
#include "codec/stream_inflater.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "codec/deflating_peer.h"

namespace tickwire::test {
namespace {

using Random = std::mt19937;

std::string ticker(Random& random, int topic) {
  const auto number = [&](unsigned below) { return std::to_string(random() % below); };
  return R"({"type":"update","topic":"ticker.SYM)" + std::to_string(topic) + R"(","seq":)" +
         number(1'000'000) + R"(,"ts":1790000000000,"data":{"last":")" + number(9000) + "." + number(100) +
         R"(","volume":)" + number(99999) + "." + number(99'999'999) + "}}";
}

// A message of one of many kinds; some are so long or so odd that zlib chooses another kind of block.
std::string message(Random& random, const std::vector<std::string>& before) {
  switch (random() % 12) {
    case 0: {
      std::string noise(random() % 700, '\0');
      for (char& byte : noise) byte = static_cast<char>(random());
      return noise;
    }
    case 1:
      return std::string(random() % 20'000, static_cast<char>('a' + random() % 3));
    case 2: {
      std::string text;
      for (auto count = random() % 60; count > 0; --count) text += ticker(random, static_cast<int>(count));
      return text;
    }
    case 3:
      return "";
    case 4:
      return before.empty() ? "x" : before[before.size() - 1 - random() % before.size()];
    default:
      return ticker(random, static_cast<int>(random() % 5));
  }
}

std::string payload_of(DeflatingPeer& peer, const std::string& text) {
  return text.empty() ? std::string(1, '\0') : peer.send(text);  // zlib makes nothing of nothing
}

// The two of them, fed with the same.
class Both {
 public:
  explicit Both(const Inflater::Config& config) : quick_(config), judge_(config) {}

  // Whether the payload was taken, and what it was. `pieces`: in how many pieces it comes.
  bool feed(std::string_view payload, std::size_t pieces = 1) {
    text_.clear();
    const std::size_t size = payload.size() / pieces;
    for (std::size_t i = 0; i < pieces; ++i) {
      const bool last = i + 1 == pieces;
      const std::string_view piece = payload.substr(i * size, last ? std::string_view::npos : size);
      const Status judged = judge_.feed(piece, last, text_);
      const Status quick = quick_.feed(piece, last);
      EXPECT_EQ(quick.ok(), judged.ok());
      if (!judged || !quick) {
        EXPECT_EQ(quick.ok() ? "" : quick.error().message, judged.ok() ? "" : judged.error().message);
        return false;
      }
    }
    EXPECT_EQ(quick_.message(), text_);
    return true;
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool falls_back() const { return quick_.falls_back(); }

 private:
  StreamInflater quick_;
  Inflater judge_;
  std::string text_;
};

TEST(StreamInflater, ReadsWhatInflaterReadsInAllPiecesAndWindows) {
  for (unsigned seed = 0; seed < 24; ++seed) {
    Random random(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same in each run
    const int window_bits = seed % 3 == 0 ? 9 : 15;
    const bool takeover = seed % 4 != 0;
    DeflatingPeer peer(window_bits, 1 + static_cast<int>(seed % 9));
    Both both({.message_bytes_max = 100'000, .window_bits = window_bits, .context_takeover = takeover});
    std::vector<std::string> before;
    for (int round = 0; round < 400; ++round) {
      const std::string text = message(random, before);
      const std::string payload = random() % 20 == 0 ? peer.send_final(text) : payload_of(peer, text);
      ASSERT_TRUE(both.feed(payload, random() % 4 == 0 ? 1 + random() % 5 : 1)) << seed << " " << round;
      ASSERT_EQ(both.text(), text);
      before.push_back(text);
      if (!takeover) peer.forget();
    }
  }
}

TEST(StreamInflater, SaysOfDamagedMessagesWhatInflaterSays) {
  int taken = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same in each run
    DeflatingPeer peer;
    Both both({.message_bytes_max = 2'000, .window_bits = seed % 2 == 0 ? 15 : 9});
    std::vector<std::string> before;
    for (int round = 0; round < 6; ++round) {
      const std::string text = message(random, before);
      std::string payload = payload_of(peer, text);
      for (auto flips = random() % 3; flips > 0 && !payload.empty(); --flips) {
        payload[random() % payload.size()] ^= static_cast<char>(1U << random() % 8);
      }
      if (random() % 8 == 0) payload.resize(random() % (payload.size() + 1));
      if (random() % 8 == 0) payload.append(random() % 9, '\0');
      if (!both.feed(payload)) break;
      ++taken;
      before.push_back(text);
    }
  }
  EXPECT_GT(taken, 2000);
}

TEST(StreamInflater, SaysOfAnyBytesWhatInflaterSays) {
  Random random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same in each run
  int taken = 0;
  for (int round = 0; round < 100'000; ++round) {
    Both both({.message_bytes_max = 2'000});
    std::string payload(1 + random() % 12, '\0');
    for (char& byte : payload) byte = static_cast<char>(random());
    payload[0] = static_cast<char>((static_cast<unsigned>(payload[0]) & ~7U) | (random() % 4 == 0 ? 0U : 2U));
    if (random() % 2 == 0) payload += '\0';
    taken += static_cast<int>(both.feed(payload));
  }
  EXPECT_GT(taken, 1000);
}

TEST(StreamInflater, TakesAMessageOfTheLimitAndNoneThatIsLonger) {
  for (const std::size_t size : {std::size_t{300}, FixedInflate::kMessageBytesMax, std::size_t{100'000}}) {
    for (const std::size_t more : {0U, 1U, 300U}) {
      DeflatingPeer peer;
      Both both({.message_bytes_max = size});
      EXPECT_EQ(both.feed(peer.send(std::string(size + more, 'x'))), more == 0) << size;
    }
  }
}

TEST(StreamInflater, StaysWithInflaterTheLongerTheOftenerItIsNeeded) {
  Random random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same in each run
  DeflatingPeer peer;
  Both both({});
  const auto fallbacks_of_100 = [&](unsigned odd) {
    int count = 0;
    for (unsigned round = 0; round < 100; ++round) {
      const std::string text =
          round % odd == odd - 1 ? message(random, {}) + std::string(3000, 'y') : ticker(random, 1);
      EXPECT_TRUE(both.feed(round % odd == odd - 1 ? peer.send_final(text) : peer.send(text)));
      count += static_cast<int>(both.falls_back());
    }
    return count;
  };
  EXPECT_LE(fallbacks_of_100(100), 1) << "after an odd one it is quick again";
  EXPECT_GT(fallbacks_of_100(3), 60);
}

}  // namespace
}  // namespace tickwire::test
