#include "engine/key_fetcher.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/fault.h"

namespace tickwire {

void KeyFetcher::fetch(std::vector<std::string> urls) {
  const MutexLock lock(mutex_);
  urls_ = std::move(urls);
  KeySets kept;
  for (const std::string& url : urls_) {
    if (auto set = sets_.extract(url)) kept.insert(std::move(set));
  }
  sets_.swap(kept);
  pending_ = !urls_.empty();
  if (pending_ && !thread_.joinable() && !stopping_) thread_ = std::thread([this] { run(); });
  woken_.notify_one();
}

bool KeyFetcher::ask() {
  const MutexLock lock(mutex_);
  if (pending_ || sets_.size() < urls_.size()) return true;
  if (urls_.empty() || now_s() < asked_s_ + kAskedAgainS) return false;
  asked_s_ = now_s();
  pending_ = true;
  woken_.notify_one();
  return true;
}

KeySets KeyFetcher::sets() const {
  const MutexLock lock(mutex_);
  return sets_;
}

void KeyFetcher::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    woken_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void KeyFetcher::run() {
  ::pthread_setname_np(::pthread_self(), "tickwire-keys");
  for (std::vector<std::string> urls = wait(); !urls.empty(); urls = wait()) {
    bool whole = true;
    for (const std::string& url : urls) {
      contained(Boundary::kWorker, "the fetching of keys", [&] { whole = fetch_one(url) && whole; });
    }
    retry_s_ = whole ? 1 : std::min(2 * retry_s_, kRetryS);
    const MutexLock lock(mutex_);
    due_s_ = now_s() + (whole ? kRefreshS : retry_s_);
    pending_ = urls != urls_;
  }
}

std::vector<std::string> KeyFetcher::wait() {
  const MutexLock lock(mutex_);
  while (!stopping_ && (urls_.empty() || (!pending_ && now_s() < due_s_))) {
    woken_.wait_for(mutex_, std::chrono::seconds(std::max<std::int64_t>(due_s_ - now_s(), 1)));
  }
  if (stopping_) return {};
  pending_ = true;
  return urls_;
}

bool KeyFetcher::fetch_one(const std::string& url) {
  Result<std::string> text = parts_.get(url, stopping_);
  if (!text) {
    std::string& logged = problems_[url];
    if (!stopping_ && std::exchange(logged, text.error().message) != text.error().message) {
      spdlog::warn("auth.jwt.keys: {}: {}; {}", url, logged,
                   sets().contains(url) ? "its keys stay as they were"
                                        : "it has given none yet, so tokens are answered with unavailable");
    }
    return false;
  }
  problems_.erase(url);
  {
    const MutexLock lock(mutex_);
    if (std::ranges::find(urls_, url) == urls_.end()) return true;
    std::string& kept = sets_[url];
    if (kept == *text) return true;
    kept = std::move(*text);
  }
  parts_.changed();
  return true;
}

}  // namespace tickwire
