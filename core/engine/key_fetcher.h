// KeyFetcher: the key sets that auth.jwt.keys names by address, fetched again and again, so that a new key of
// the issuer is known without a restart.
//
//   all sets are fetched: at the start ──> each kRefreshS, and soon after a failure (1 s, 2 s, ... kRetryS)
//                                     └──> at once, when a token names a key that is not known: at most once
//                                          in kAskedAgainS
//
// A set that cannot be fetched stays as it was. It has a thread of its own, on which `changed` is called;
// everything else may be called on any thread, and waits for nothing. Leaves no thread behind stop().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"

namespace tickwire {

inline constexpr std::int64_t kRefreshS = 600;
inline constexpr std::int64_t kRetryS = 60;
inline constexpr std::int64_t kAskedAgainS = 60;

// The text of each set, by its address. Without those that were never fetched.
using KeySets = std::map<std::string, std::string>;

class KeyFetcher {
 public:
  struct Parts {
    const Clock& clock;
    // Waits for the text of a set; ends soon after `stop` was set.
    std::function<Result<std::string>(const std::string& url, const std::atomic<bool>& stop)> get;
    std::function<void()> changed;  // other sets are there than before
  };
  explicit KeyFetcher(Parts parts) : parts_(std::move(parts)) {}
  ~KeyFetcher() { stop(); }
  KeyFetcher(const KeyFetcher&) = delete;
  KeyFetcher& operator=(const KeyFetcher&) = delete;

  // Begins to fetch them; again: in place of the former ones.
  void fetch(std::vector<std::string> urls);
  // A token names a key that no set has. True: that may change soon, since the sets are being fetched, or one
  // of them never was.
  bool ask();
  [[nodiscard]] KeySets sets() const;
  void stop();

 private:
  void run();
  // The addresses, when it is time to fetch them; none: it is to end.
  std::vector<std::string> wait();
  bool fetch_one(const std::string& url);
  [[nodiscard]] std::int64_t now_s() const { return parts_.clock.steady_us() / 1'000'000; }

  const Parts parts_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;  // begun by the first fetch()

  mutable Mutex mutex_;
  std::condition_variable_any woken_;
  std::vector<std::string> urls_ GUARDED_BY(mutex_);
  KeySets sets_ GUARDED_BY(mutex_);
  bool pending_ GUARDED_BY(mutex_) = false;  // a fetch is due or under way
  std::int64_t due_s_ GUARDED_BY(mutex_) = 0;
  std::int64_t asked_s_ GUARDED_BY(mutex_) = -kAskedAgainS;

  std::int64_t retry_s_ = 1;                     // its thread's
  std::map<std::string, std::string> problems_;  // its thread's: what was logged last, by address
};

}  // namespace tickwire
