// LwsContext: a libwebsockets context with one virtual host and no listener of its own, set up by the rules
// of docs/ARCHITECTURE.md (poll loop, HTTP/1.1 only, no lws keepalive, no lws compression). Descriptors and
// accepted sockets are handed to it.
//
// One loop's thread, from the first run_once() on; open() before that from any. Owns all it was handed.
#pragma once

#include <string_view>

#include "base/error.h"

struct lws;
struct lws_context;
struct lws_vhost;

namespace tickwire {

class Connection;

// Told when a watched descriptor is readable.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_readable() = 0;
};

class LwsContext {
 public:
  LwsContext() = default;
  ~LwsContext();
  LwsContext(const LwsContext&) = delete;
  LwsContext& operator=(const LwsContext&) = delete;

  Status open();
  // Closes everything, with the callbacks that this brings.
  void close();

  // Owns `fd` from now on, also when it fails (null). `watcher` outlives it.
  lws* watch(int fd, Watcher& watcher);
  static void pause(lws* watched, bool paused);
  static void unwatch(lws* watched);

  // A client's socket; owned as above. lws reads `bytes` first, before this returns; callbacks tell `client`.
  // False: it is closed already, or will be.
  bool adopt(int socket, Connection* client, std::string_view bytes);

  // Waits for something to do, and does it. Returns whether anybody of us was called.
  bool run_once();
  // Descriptors from this number on cannot be adopted.
  [[nodiscard]] int descriptors_max() const { return descriptors_max_; }

 private:
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  int descriptors_max_ = 0;
};

}  // namespace tickwire
