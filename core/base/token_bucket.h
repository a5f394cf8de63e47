// TokenBucket: at most so many of something a second, and kBurstSeconds' worth of it at once. It is the
// generic cell rate algorithm (ITU-T I.371): one number, the time at which the bucket would be full again.
//
// What is refused is charged, too, where its owner says so. So one that waits as long as it is told goes on,
// and one that does not wait gets deeper into debt; past as much debt as a full bucket holds it is `abused`.
//
// A plain value of 8 bytes; not synchronized. Times are microseconds on the steady clock.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tickwire {

inline constexpr std::int64_t kBurstSeconds = 2;

struct Rate {
  std::int64_t per_s = 0;  // 0: no limit
  bool operator==(const Rate&) const = default;
};

class TokenBucket {
 public:
  enum class Refused : std::uint8_t { kFree, kCharged };
  struct Taken {
    std::int64_t wait_us = 0;  // 0: it was taken; else when it may be tried again
    bool abused = false;
    [[nodiscard]] bool ok() const { return wait_us == 0; }
  };

  Taken take(Rate rate, std::int64_t now_us, Refused refused) {
    if (rate.per_s == 0) return {};
    constexpr std::int64_t kBurstUs = kBurstSeconds * 1'000'000;
    const std::int64_t one_us = 1'000'000 / rate.per_s;
    const std::int64_t full_us = std::max(full_us_, now_us) + one_us;
    const std::int64_t over_us = full_us - now_us - kBurstUs;
    const bool charged = over_us <= 0 || refused == Refused::kCharged;
    if (charged) full_us_ = full_us;
    if (over_us <= 0) return {};
    return {charged ? over_us + one_us : over_us, over_us > kBurstUs};
  }
  [[nodiscard]] bool is_full(std::int64_t now_us) const { return full_us_ <= now_us; }

 private:
  std::int64_t full_us_ = 0;
};

}  // namespace tickwire
