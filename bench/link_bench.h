// link beside zlib: nanoseconds a delivery over many streams of which no two are alike.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "captures.h"
#include "codec/relocatable_deflate.h"
#include "timing.h"
#include "zlib_peers.h"

namespace tickwire::bench {

// Many streams, ten of a hundred topics each, no two alike; every topic ticks once a round.
class Plant {
 public:
  Plant(std::size_t streams, std::size_t bases) : bases_(bases), streams_(streams) {
    std::mt19937 random(11);
    for (Stream& stream : streams_) {
      for (Subscription& to : stream.subscriptions) to.topic = static_cast<std::uint32_t>(random() % kTopics);
    }
    for (const Message& message : synthetic_ticker(kTopics, kTopics * kRounds * 2)) {
      const auto topic =
          static_cast<std::size_t>(std::atoi(message.text.c_str() + message.text.find("SYM") + 3));
      texts_[topic].push_back(message.text);
    }
    while (round_ < 2 * kBasesMax) run_round();
  }

  // Nanoseconds a delivery: where the bases lie, link, note where this one went. Session after session, as a
  // turn does it.
  double run_round() {
    std::array<Assembled, kTopics> forms;
    for (std::size_t topic = 0; topic < kTopics; ++topic) {
      const auto& texts = texts_[topic];
      std::vector<std::string_view> used;
      for (std::size_t k = 1; k <= std::min(bases_, round_); ++k)
        used.push_back(texts[(round_ - k) % texts.size()]);
      forms[topic] = assembler_.assemble(texts[round_ % texts.size()], used);
    }
    ++round_;
    const double start = cpu_seconds();
    for (Stream& stream : streams_) deliver(stream, forms);
    return (cpu_seconds() - start) / static_cast<double>(streams_.size() * kTopicsPerStream) * 1e9;
  }
  [[nodiscard]] const std::string& text(std::size_t topic) const {
    return texts_[topic][round_ % texts_[topic].size()];
  }

  static constexpr std::size_t kTopics = 100;

 private:
  static constexpr std::size_t kRounds = 20;
  struct Subscription {
    WindowTrail trail;
    std::uint32_t topic = 0;
  };
  struct Stream {
    StreamPosition position;
    std::array<Subscription, kTopicsPerStream> subscriptions;
  };

  void deliver(Stream& stream, const std::array<Assembled, kTopics>& forms) {
    char* out = scratch_.data();
    for (Subscription& to : stream.subscriptions) {
      const Assembled& form = forms[to.topic];
      std::array<std::uint32_t, kBasesMax> gaps{};
      if (to.trail.reach(stream.position, form.message_bytes, gaps) >= form.bases)
        out += link(form, gaps, out);
      to.trail.push(stream.position);
      stream.position.advance(form.message_bytes);
    }
    checksum_ += static_cast<unsigned char>(scratch_[20]);
  }

  std::size_t bases_;
  std::vector<Stream> streams_;
  std::array<std::vector<std::string>, kTopics> texts_;
  Assembler assembler_;
  std::size_t round_ = 0;
  std::vector<char> scratch_ = std::vector<char>(std::size_t{1} << 16);
  std::uint64_t checksum_ = 0;
};

// The same with a zlib stream per connection; fewer of them, as 20,000 would need 5 GB.
inline double zlib_round(std::vector<std::unique_ptr<ZlibStream>>& streams, const Plant& plant,
                         std::mt19937& random) {
  const double start = cpu_seconds();
  for (const auto& stream : streams) {
    for (std::size_t i = 0; i < kTopicsPerStream; ++i)
      stream->compress(plant.text(random() % Plant::kTopics));
  }
  return (cpu_seconds() - start) / static_cast<double>(streams.size() * kTopicsPerStream) * 1e9;
}

inline void print_link(std::size_t streams, std::size_t bases) {
  constexpr int kRounds = 25;
  Plant plant(streams, bases);
  std::vector<std::unique_ptr<ZlibStream>> zlib;
  for (int i = 0; i < 500; ++i) zlib.push_back(std::make_unique<ZlibStream>(1));
  std::mt19937 random(3);
  std::vector<double> link_ns, zlib_ns;
  for (int round = 0; round < kRounds; ++round) {
    link_ns.push_back(plant.run_round());
    zlib_ns.push_back(zlib_round(zlib, plant, random));
  }
  const double ours = median(link_ns), theirs = median(zlib_ns);
  std::printf("| %7zu | %zu | %6.1f | %6.0f | %6.4f |\n", streams, bases, ours, theirs, ours / theirs);
}

}  // namespace tickwire::bench
