// Oracle: what a simulated plant must say, kept beside it and without its code: every update of every topic,
// the image after each, and how each topic is.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tickwire::sim {

inline constexpr int kFields = 3;
inline constexpr int kTopics = 16;

// Values of f0, f1, f2; kAbsent: not there.
using Fields = std::array<int, kFields>;
inline constexpr int kAbsent = -1;

// "v.x.0" to "e.y.3"; names that begin with e are event topics.
inline std::string topic_name(int topic) {
  return std::string(topic < 8 ? "v." : "e.") + ((topic & 4) != 0 ? "y." : "x.") + std::to_string(topic & 3);
}
// -1: no such topic.
inline int topic_of(std::string_view name) {
  if (name.size() != 5) return -1;
  return (name[0] == 'e' ? 8 : 0) + (name[2] == 'y' ? 4 : 0) + (name[4] - '0');
}
inline bool is_event(int topic) {
  return topic >= 8;
}

class Oracle {
 public:
  struct Entry {
    std::string data;
    Fields image;
  };
  struct Topic {
    std::vector<Entry> entries;  // by seq - 1
    std::string status = "live";
  };

  // `data` sets the fields of `changed` that are not kAbsent, and deletes those of `deleted`.
  void publish(int topic, std::string data, const Fields& changed, const std::array<bool, kFields>& deleted) {
    Topic& known = topics_[static_cast<std::size_t>(topic)];
    Fields image;
    image.fill(kAbsent);
    if (!known.entries.empty()) image = known.entries.back().image;
    for (std::size_t i = 0; i < kFields; ++i) {
      if (deleted[i]) image[i] = kAbsent;
      if (changed[i] != kAbsent) image[i] = changed[i];
    }
    known.entries.push_back({std::move(data), image});
    if (known.status == "stale") known.status = "live";
  }

  Topic& topic(int topic) { return topics_[static_cast<std::size_t>(topic)]; }
  [[nodiscard]] std::uint64_t seq(int topic) const {
    return topics_[static_cast<std::size_t>(topic)].entries.size();
  }
  [[nodiscard]] const Entry* at(int topic, std::uint64_t seq) const {
    const auto& entries = topics_[static_cast<std::size_t>(topic)].entries;
    return seq >= 1 && seq <= entries.size() ? &entries[seq - 1] : nullptr;
  }

 private:
  std::array<Topic, kTopics> topics_;
};

}  // namespace tickwire::sim
