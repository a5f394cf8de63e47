// LocalSession: an in-process subscriber: a session of a shard like any other, whose socket is a bounded
// queue in memory. So a subscription within the process means exactly what it means on the wire, slow readers
// included: a full queue blocks the socket, and its subscriptions fall behind.
//
// open, send, read, notify_fd and close from any thread, one reader at a time; the Socket part on the shard's
// loop thread. It lives until close() was called (LocalClient does) and the loop has ended its session. The
// shard outlives it.
// Invariants: blocked_ from a write that filled the queue until a read has half-emptied it; session_ is
// touched on the loop thread only, null before the welcome and after the end, and self_ is set exactly while
// it is not.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/mutex.h"
#include "bridge/event_fd.h"
#include "fanout/shard.h"
#include "session/socket.h"

namespace tickwire {

inline constexpr std::size_t kLocalQueueBytesMax = 1U << 20U;  // then the socket blocks
inline constexpr std::size_t kLocalSendsMax = 16;              // commands that the loop has not taken yet

enum class LocalRead : std::uint8_t { kText, kTimeout, kClosed };

class LocalSession final : public Socket, public std::enable_shared_from_this<LocalSession> {
 public:
  static std::shared_ptr<LocalSession> open(Shard& shard);  // closed already where the shard has stopped
  ~LocalSession() override = default;
  LocalSession(const LocalSession&) = delete;
  LocalSession& operator=(const LocalSession&) = delete;

  // One message of a client. kTooMany past kLocalSendsMax, kDraining when closed.
  Status send(std::string text);
  // The next message of the server; what came before the close is still read.
  LocalRead read(std::string& text, std::chrono::milliseconds timeout);
  // Readable while read() would return at once; made at the first call.
  Result<int> notify_fd();
  void close();
  // Why it ended, for a person; empty while it has not.
  [[nodiscard]] std::string close_reason() const;

  // --- the loop thread --------------------------------------------------------------------------------
  WriteResult write(std::string_view messages) override;
  void close(CloseCode code, std::string_view reason, std::string_view last_messages) override;
  void set_reading(bool on) override;

 private:
  explicit LocalSession(Shard& shard) : shard_(shard) {}
  void start();
  void resume();
  void pass_on();  // what was sent, while the session wants it
  void end(std::string reason);
  void wake() REQUIRES(mutex_);

  Shard& shard_;
  // The loop thread's:
  Session* session_ = nullptr;
  std::shared_ptr<LocalSession> self_;
  bool reading_ = true;

  mutable Mutex mutex_;
  std::condition_variable_any readable_;
  EventFd notify_;
  std::deque<std::string> sent_ GUARDED_BY(mutex_);  // by us, not yet handed to the session
  std::deque<std::string> texts_ GUARDED_BY(mutex_);
  std::size_t texts_bytes_ GUARDED_BY(mutex_) = 0;
  bool blocked_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::string close_reason_ GUARDED_BY(mutex_);
};

// Its owner's hold on a LocalSession.
class LocalClient {
 public:
  explicit LocalClient(Shard& shard) : session_(LocalSession::open(shard)) {}
  ~LocalClient() { session_->close(); }
  LocalClient(const LocalClient&) = delete;
  LocalClient& operator=(const LocalClient&) = delete;

  LocalSession& operator*() const { return *session_; }
  LocalSession* operator->() const { return session_.get(); }

 private:
  std::shared_ptr<LocalSession> session_;
};

}  // namespace tickwire
