#include "net/poller.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <utility>

#include "base/fault.h"

namespace tickwire {
namespace {

constexpr std::int64_t kWaitUsMax = 60'000'000;

constexpr std::uint32_t kGenerationMax = 0x7FFF'FFFF;

std::int64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::size_t place_of(const epoll_event& event) {
  return event.data.u64 & UINT32_MAX;
}

std::uint64_t pack(int fd, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32U) | static_cast<std::uint32_t>(fd);
}

}  // namespace

Poller::~Poller() {
  close();
}

void Poller::close() {
  if (epoll_ >= 0) ::close(std::exchange(epoll_, -1));
  told_ = count_;
  std::vector<Entry>().swap(entries_);
}

Status Poller::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return Error{ErrorCode::kInternal, "no descriptors left for a loop", ""};
  return ok_status();
}

bool Poller::control(int operation, int fd) {
  const Entry& entry = entries_[static_cast<std::size_t>(fd)];
  epoll_event event{};
  event.events = entry.events;
  event.data.u64 = pack(fd, entry.generation);
  return ::epoll_ctl(epoll_, operation, fd, &event) == 0;
}

bool Poller::add(int fd, Pollee& pollee, std::uint32_t events) {
  const auto place = static_cast<std::size_t>(fd);
  if (place >= entries_.size()) entries_.resize(std::max(place + 1, entries_.size() + entries_.size() / 8));
  Entry& entry = entries_[place];
  entry.pollee = &pollee;
  entry.events = events;
  entry.generation = (entry.generation + 1U) & kGenerationMax;
  entry.again = 0;
  if (control(EPOLL_CTL_ADD, fd)) return true;
  entry.pollee = nullptr;
  return false;
}

void Poller::change(int fd, std::uint32_t events) {
  Entry& entry = entries_[static_cast<std::size_t>(fd)];
  if (entry.events == events) return;
  entry.events = events;
  control(EPOLL_CTL_MOD, fd);
}

void Poller::remove(int fd) {
  if (forget(fd)) control(EPOLL_CTL_DEL, fd);
}

bool Poller::forget(int fd) {
  const auto place = static_cast<std::size_t>(fd);
  return place < entries_.size() && std::exchange(entries_[place].pollee, nullptr) != nullptr;
}

void Poller::again(int fd) {
  Entry& entry = entries_[static_cast<std::size_t>(fd)];
  if (entry.again != 0) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = pack(fd, entry.generation);
  again_.push_back(event);
  entry.again = 1;
}

int Poller::wait(std::int64_t wait_us) {
  if (told_ == count_) look(wait_us);
  const std::size_t before = told_;
  std::int64_t until_us = 0;  // not asked for as long as there is one alone
  while (told_ < count_) {
    const epoll_event event = ready_.at(told_);
    const bool asked = told_++ >= found_;
    // Since epoll found it, it may have ceased to be wanted.
    const std::uint32_t wanted = asked ? EPOLLIN : entries_[place_of(event)].events | EPOLLHUP | EPOLLERR;
    tell(event, event.events & wanted);
    if (told_ == count_) break;
    const std::int64_t now = now_us();
    if (until_us == 0) until_us = now + kTellUsMax;
    if (now >= until_us) break;
  }
  return static_cast<int>(told_ - before);
}

// Whoever asks for another time is told after those who were ready meanwhile.
void Poller::look(std::int64_t wait_us) {
  told_ = 0;
  found_ = static_cast<std::size_t>(std::max(wait_for_events(again_.empty() ? wait_us : 0), 0));
  const std::size_t asked = std::min<std::size_t>(again_.size(), kReadyPerLookMax);
  for (std::size_t i = 0; i < asked; ++i) {
    const epoll_event event = again_[i];
    if (is_of(event)) entries_[place_of(event)].again = 0;
    ready_.at(found_ + i) = event;
  }
  again_.erase(again_.begin(), again_.begin() + static_cast<std::ptrdiff_t>(asked));
  count_ = found_ + asked;
}

void Poller::tell(const epoll_event& event, std::uint32_t events) {
  if (!is_of(event) || events == 0) return;
  Pollee* const pollee = entries_[place_of(event)].pollee;
  if (contained(Boundary::kSocket, "an event of a socket", [&] { pollee->on_ready(events); })) return;
  if (is_of(event)) contained(Boundary::kSocket, "the end of a socket", [&] { pollee->on_fault(); });
}

// Whether the one that was polled when `event` happened is polled still.
bool Poller::is_of(const epoll_event& event) const {
  const std::size_t place = place_of(event);
  const Entry& entry = entries_[place];
  return entry.pollee != nullptr && pack(static_cast<int>(place), entry.generation) == event.data.u64;
}

// To the microsecond, where the kernel (5.11) and who confines us allow it; otherwise to the next
// millisecond.
int Poller::wait_for_events(std::int64_t wait_us) {
  wait_us = std::clamp<std::int64_t>(wait_us, 0, kWaitUsMax);
#if defined(SYS_epoll_pwait2) && __SIZEOF_LONG__ == 8  // where timespec is what the kernel wants
  if (has_fine_waits_ && wait_us > 0) {
    timespec wait{};
    wait.tv_sec = static_cast<time_t>(wait_us / 1'000'000);
    wait.tv_nsec = static_cast<long>(wait_us % 1'000'000 * 1000);
    const auto count = static_cast<int>(
        ::syscall(SYS_epoll_pwait2, epoll_, ready_.data(), kReadyPerLookMax, &wait, nullptr, 0));
    if (count >= 0 || errno == EINTR) return count;
    has_fine_waits_ = false;
  }
#endif
  return ::epoll_wait(epoll_, ready_.data(), kReadyPerLookMax, static_cast<int>((wait_us + 999) / 1000));
}

}  // namespace tickwire
