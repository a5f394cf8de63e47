#include "net/poller.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <utility>

#include "base/fault.h"

namespace tickwire {
namespace {

constexpr int kReadyPerWaitMax = 64;  // then timers and turns have their turn
constexpr std::int64_t kWaitUsMax = 60'000'000;

constexpr std::uint32_t kGenerationMax = 0x7FFF'FFFF;

std::uint64_t pack(int fd, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32U) | static_cast<std::uint32_t>(fd);
}

}  // namespace

Poller::~Poller() {
  close();
}

void Poller::close() {
  if (epoll_ >= 0) ::close(std::exchange(epoll_, -1));
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
  std::array<epoll_event, kReadyPerWaitMax> ready;
  if (!again_.empty()) wait_us = 0;
  const int count =
      wait_for_events(ready.data(), kReadyPerWaitMax, std::clamp<std::int64_t>(wait_us, 0, kWaitUsMax));
  for (int i = 0; i < count; ++i) tell(ready.at(static_cast<std::size_t>(i)));
  // Whoever asks for another time meanwhile is told with the next wait().
  const std::size_t told = std::min<std::size_t>(again_.size(), kReadyPerWaitMax);
  for (std::size_t i = 0; i < told; ++i) {
    const epoll_event event = again_[i];
    if (is_of(event)) entries_[event.data.u64 & UINT32_MAX].again = 0;
    tell(event);
  }
  again_.erase(again_.begin(), again_.begin() + static_cast<std::ptrdiff_t>(told));
  return std::max(count, 0) + static_cast<int>(told);
}

void Poller::tell(const epoll_event& event) {
  if (!is_of(event)) return;
  Pollee* const pollee = entries_[event.data.u64 & UINT32_MAX].pollee;
  if (contained(Boundary::kSocket, "an event of a socket", [&] { pollee->on_ready(event.events); })) return;
  if (is_of(event)) contained(Boundary::kSocket, "the end of a socket", [&] { pollee->on_fault(); });
}

// Whether the one that was polled when `event` happened is polled still.
bool Poller::is_of(const epoll_event& event) const {
  const auto fd = static_cast<int>(event.data.u64 & UINT32_MAX);
  const Entry& entry = entries_[static_cast<std::size_t>(fd)];
  return entry.pollee != nullptr && pack(fd, entry.generation) == event.data.u64;
}

// To the microsecond, where the kernel (5.11) and who confines us allow it; otherwise to the next
// millisecond.
int Poller::wait_for_events(epoll_event* ready, int most, std::int64_t wait_us) {
#if defined(SYS_epoll_pwait2) && __SIZEOF_LONG__ == 8  // where timespec is what the kernel wants
  if (has_fine_waits_ && wait_us > 0) {
    timespec wait{};
    wait.tv_sec = static_cast<time_t>(wait_us / 1'000'000);
    wait.tv_nsec = static_cast<long>(wait_us % 1'000'000 * 1000);
    const auto count = static_cast<int>(::syscall(SYS_epoll_pwait2, epoll_, ready, most, &wait, nullptr, 0));
    if (count >= 0 || errno == EINTR) return count;
    has_fine_waits_ = false;
  }
#endif
  return ::epoll_wait(epoll_, ready, most, static_cast<int>((wait_us + 999) / 1000));
}

}  // namespace tickwire
