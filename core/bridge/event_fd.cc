#include "bridge/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tickwire {

EventFd::~EventFd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<int> EventFd::open() {
  if (fd_ < 0) fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd_ < 0) return Error{ErrorCode::kInternal, "eventfd: " + std::generic_category().message(errno), ""};
  return fd_;
}

void EventFd::signal() const {
  if (fd_ >= 0) ::eventfd_write(fd_, 1);
}

void EventFd::clear() const {
  eventfd_t count = 0;
  if (fd_ >= 0) ::eventfd_read(fd_, &count);
}

}  // namespace tickwire
