// Histogram: counts of values to within 1/64 of each, in constant memory; percentiles of them.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace tickwire::bench {

class Histogram {
 public:
  void add(std::uint64_t value) {
    ++counts_[place(value)];
    ++count_;
    if (value > max_) max_ = value;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  // The value below which `share` of all lie; 0 when there are none.
  [[nodiscard]] std::uint64_t percentile(double share) const {
    auto left = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > left) return value_at(i);
      left -= counts_[i];
    }
    return max_;
  }

 private:
  // Up to kSub every value has a place of its own; above, each doubling is cut into kSub places.
  static constexpr std::uint32_t kSubBits = 6;
  static constexpr std::uint64_t kSub = 1U << kSubBits;

  static std::size_t place(std::uint64_t value) {
    if (value < kSub) return value;
    const auto shift = static_cast<std::uint32_t>(std::bit_width(value)) - kSubBits - 1;
    return (std::uint64_t{shift} + 1) * kSub + (value >> shift) - kSub;
  }
  static std::uint64_t value_at(std::size_t place) {
    if (place < kSub) return place;
    const std::uint64_t shift = place / kSub - 1;
    return (place % kSub + kSub) << shift;
  }

  std::array<std::uint64_t, (64 - kSubBits + 1) * kSub> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

inline nlohmann::json percentiles(const Histogram& values) {
  return {{"count", values.count()},          {"p50", values.percentile(0.5)},
          {"p90", values.percentile(0.9)},    {"p99", values.percentile(0.99)},
          {"p999", values.percentile(0.999)}, {"max", values.max()}};
}

}  // namespace tickwire::bench
