// RefusalLog: which of the requests that had no right to the admin listener get a line in the audit log: so
// many a minute at most, so that whoever floods the listener does not fill the disk. The first line of a
// later minute says how many had none.
//
// Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/mutex.h"

namespace tickwire {

inline constexpr std::size_t kRefusalLinesPerMinuteMax = 10;

class RefusalLog {
 public:
  // How many before this one got no line; nothing: this one gets none.
  std::optional<std::size_t> take(std::int64_t now_us) {
    constexpr std::int64_t kMinuteUs = 60'000'000;
    const MutexLock lock(mutex_);
    if (lines_ == 0 || now_us - began_us_ >= kMinuteUs) {
      began_us_ = now_us;
      lines_ = 0;
    }
    if (lines_ >= kRefusalLinesPerMinuteMax) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    const std::size_t left_out = left_out_;
    left_out_ = 0;
    return left_out;
  }

 private:
  Mutex mutex_;
  std::int64_t began_us_ GUARDED_BY(mutex_) = 0;  // the minute
  std::size_t lines_ GUARDED_BY(mutex_) = 0;      // in it
  std::size_t left_out_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tickwire
