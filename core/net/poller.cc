#include "net/poller.h"

#include <unistd.h>

#include <array>

namespace tickwire {
namespace {

constexpr int kReadyPerRunMax = 64;  // then others have their turn

}  // namespace

Poller::~Poller() {
  if (epoll_ >= 0) ::close(epoll_);
}

int Poller::open() {
  return epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
}

bool Poller::add(int socket, Pollee& pollee, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollee;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
}

void Poller::change(int socket, Pollee& pollee, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollee;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event);
}

void Poller::remove(int socket) const {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
}

int Poller::run() const {
  std::array<epoll_event, kReadyPerRunMax> ready{};
  const int count = ::epoll_wait(epoll_, ready.data(), kReadyPerRunMax, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready.at(static_cast<std::size_t>(i));
    static_cast<Pollee*>(event.data.ptr)->on_ready(event.events);
  }
  return count;
}

}  // namespace tickwire
