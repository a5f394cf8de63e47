// Workload: what is published when, and who wants what. Plant, floor and load are told the same few numbers
// and so agree on all of it without talking to each other.
//
// Values; each program has its own. The ticker has seven fields of which one, `due`, says when the update was
// due at the publisher (CLOCK_MONOTONIC, microseconds, always kDueDigits long): latency counts from there, so
// that a publisher or a loop that stalls cannot hide it.
#pragma once

#include <ctime>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tickwire::bench {

inline constexpr std::size_t kDueDigits = 16;
inline constexpr std::string_view kDueTail = R"("}})";  // what follows the digits in a message
inline constexpr std::int64_t kBurstUs = 1000;  // updates come in bursts on this grid, as from a socket

inline std::int64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

// When update number `i` is due, from the start.
inline std::int64_t due_us(std::uint64_t i, double rate) {
  return static_cast<std::int64_t>(static_cast<double>(i) / rate * 1e6) / kBurstUs * kBurstUs;
}

inline void write_due(char* digits, std::int64_t due) {
  for (std::size_t i = kDueDigits; i-- > 0; due /= 10) digits[i] = static_cast<char>('0' + due % 10);
}

// Microseconds, or < 0: the message has none.
inline std::int64_t read_due(std::string_view message) {
  if (!message.ends_with(kDueTail) || message.size() < kDueDigits + kDueTail.size()) return -1;
  std::int64_t due = 0;
  for (const char c : message.substr(message.size() - kDueTail.size() - kDueDigits, kDueDigits)) {
    if (c < '0' || c > '9') return -1;
    due = due * 10 + (c - '0');
  }
  return due;
}

class TopicNames {
 public:
  explicit TopicNames(std::uint32_t topics)
      : digits_(std::max<std::size_t>(std::to_string(std::max(topics, 1U) - 1).size(), 3)) {}

  [[nodiscard]] std::string name(std::uint32_t topic) const {
    const std::string number = std::to_string(topic);
    return std::string(kBefore) + std::string(digits_ - number.size(), '0') + number + "-USD";
  }
  // The number of the topic with whose name a text begins; < 0: it begins with none.
  static std::int64_t index(std::string_view text) {
    if (!text.starts_with(kBefore)) return -1;
    std::int64_t topic = 0;
    for (std::size_t i = kBefore.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
      topic = topic * 10 + (text[i] - '0');
    return topic;
  }

 private:
  static constexpr std::string_view kBefore = "ticker.SYM";
  std::size_t digits_;
};

// The topics that a connection wants: `count` random ones, no two connections alike.
inline std::vector<std::uint32_t> wanted_topics(std::uint32_t connection, std::uint32_t topics,
                                                std::uint32_t count) {
  std::mt19937 random(connection + 1);
  std::unordered_set<std::uint32_t> chosen;
  count = std::min(count, topics);
  for (std::uint32_t last = topics - count; last < topics; ++last) {  // Floyd: each set is equally likely
    const std::uint32_t pick = static_cast<std::uint32_t>(random()) % (last + 1);
    if (!chosen.insert(pick).second) chosen.insert(last);
  }
  std::vector<std::uint32_t> sorted(chosen.begin(), chosen.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// The updates in order: a random topic each, whose next data is the next step of one of the walks.
class Updates {
 public:
  explicit Updates(std::uint32_t topics) : steps_(topics) {
    for (std::uint32_t walk = 0; walk < kWalks; ++walk) make_walk();
  }

  std::uint32_t next_topic() { return static_cast<std::uint32_t>(random_() % steps_.size()); }
  // Valid until the next call.
  std::string_view next_data(std::uint32_t topic, std::int64_t due) {
    std::string& data = data_[topic % kWalks * kSteps + steps_[topic]++ % kSteps];
    write_due(data.data() + data.size() - 2 - kDueDigits, due);
    return data;
  }

  // The number of updates so far, by topic.
  [[nodiscard]] const std::vector<std::uint32_t>& steps() const { return steps_; }

 private:
  static constexpr std::uint32_t kWalks = 100;
  static constexpr std::uint32_t kSteps = 64;

  std::uint64_t below(std::uint32_t end) { return random_() % end; }
  static std::string fixed(std::uint64_t hundredths) {
    const std::string cents = std::to_string(100 + hundredths % 100).substr(1);
    return "\"" + std::to_string(hundredths / 100) + "." + cents + "\"";
  }
  void make_walk() {
    std::uint64_t price = 10'000 + below(5'000'000);
    std::uint64_t volume = below(100'000'000);
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      price += below(21) - 10;
      volume += below(5000);
      data_.push_back(R"({"last":)" + fixed(price) + R"(,"bid":)" + fixed(price - 1 - below(4)) +
                      R"(,"ask":)" + fixed(price + 1 + below(4)) + R"(,"bid_size":)" + fixed(below(100'000)) +
                      R"(,"ask_size":)" + fixed(below(100'000)) + R"(,"volume":)" + fixed(volume) +
                      R"(,"due":")" + std::string(kDueDigits, '0') + R"("})");
    }
  }

  std::mt19937_64 random_{7};
  std::vector<std::uint32_t> steps_;  // by topic: updates so far
  std::vector<std::string> data_;
};

}  // namespace tickwire::bench
