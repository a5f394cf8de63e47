#include "bridge/local_session.h"

#include <utility>

#include "bridge/bridge.h"

namespace tickwire {

std::shared_ptr<LocalSession> LocalSession::open(Shard& shard) {
  std::shared_ptr<LocalSession> self(new LocalSession(shard));
  if (!shard.post([self] { self->start(); })) self->end("the server has stopped");
  return self;
}

Status LocalSession::send(std::string text) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return Error{ErrorCode::kDraining, "the session is closed: " + close_reason_, ""};
    if (sent_.size() >= kLocalSendsMax) {
      return Error{ErrorCode::kTooMany,
                   "more than " + std::to_string(kLocalSendsMax) + " commands wait for the loop", ""};
    }
    sent_.push_back(std::move(text));
  }
  shard_.post([self = shared_from_this()] { self->pass_on(); });
  return ok_status();
}

LocalRead LocalSession::read(std::string& text, std::chrono::milliseconds timeout) {
  bool has_room_again = false;
  {
    const MutexLock lock(mutex_);
    readable_.wait_for(mutex_, timeout, [this]() REQUIRES(mutex_) { return !texts_.empty() || closed_; });
    if (texts_.empty()) return closed_ ? LocalRead::kClosed : LocalRead::kTimeout;
    text = std::move(texts_.front());
    texts_.pop_front();
    texts_bytes_ -= text.size();
    if (texts_.empty() && !closed_) notify_.clear();
    has_room_again = blocked_ && texts_bytes_ <= kLocalQueueBytesMax / 2;
    if (has_room_again) blocked_ = false;
  }
  if (has_room_again) shard_.post([self = shared_from_this()] { self->resume(); });
  return LocalRead::kText;
}

Result<int> LocalSession::notify_fd() {
  const MutexLock lock(mutex_);
  Result<int> fd = notify_.open();
  if (!texts_.empty() || closed_) wake();
  return fd;
}

void LocalSession::close() {
  shard_.post([self = shared_from_this()] { self->end("closed by its owner"); });
}

std::string LocalSession::close_reason() const {
  const MutexLock lock(mutex_);
  return close_reason_;
}

WriteResult LocalSession::write(std::string_view messages) {
  const MutexLock lock(mutex_);
  if (closed_) return WriteResult::kClosed;
  while (!messages.empty()) {
    texts_.emplace_back(take_sized(messages));
    texts_bytes_ += texts_.back().size();
  }
  wake();
  blocked_ = texts_bytes_ >= kLocalQueueBytesMax;
  return blocked_ ? WriteResult::kBlocked : WriteResult::kSent;
}

void LocalSession::close(CloseCode code, std::string_view reason, std::string_view last_messages) {
  write(last_messages);
  std::string why = std::to_string(static_cast<unsigned>(code)) + " " + std::string(reason);
  shard_.post([self = shared_from_this(), why = std::move(why)] { self->end(why); });
}

void LocalSession::set_reading(bool on) {
  reading_ = on;
  if (on) shard_.post([self = shared_from_this()] { self->pass_on(); });
}

void LocalSession::start() {
  if (!shard_.serving()) return end("4001 the server is joining its cluster; try again");
  ClientInfo owner;
  owner.remote = kLocalRemote;
  self_ = shared_from_this();
  session_ = &shard_.open(*this, std::move(owner), Framing{.carrier = Carrier::kInProcess});
}

void LocalSession::resume() {
  if (session_ != nullptr) shard_.on_writable(*session_);
}

void LocalSession::pass_on() {
  while (session_ != nullptr && reading_) {
    std::string text;
    {
      const MutexLock lock(mutex_);
      if (sent_.empty()) return;
      text = std::move(sent_.front());
      sent_.pop_front();
    }
    shard_.on_message(*session_, text);
  }
}

void LocalSession::end(std::string reason) {
  if (session_ != nullptr) shard_.on_closed(*std::exchange(session_, nullptr));
  self_.reset();  // the caller holds another
  const MutexLock lock(mutex_);
  if (closed_) return;
  closed_ = true;
  close_reason_ = std::move(reason);
  wake();
}

void LocalSession::wake() {
  readable_.notify_all();
  notify_.signal();
}

}  // namespace tickwire
