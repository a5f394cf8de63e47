// LwsContext: a libwebsockets context with one virtual host and no listener of its own, set up by the rules
// of docs/ARCHITECTURE.md (HTTP/1.1 only, no lws keepalive, no lws compression). Accepted sockets are handed
// to it, and then what the loop's Poller saw of them: lws itself never polls, and its timers never run. Where
// one of its own would end a connection, a deadline of Connection does.
//
// One loop's thread, from the first adopt() on; open() before that from any. Owns all it was handed.
#pragma once

#include <string_view>

#include "base/error.h"

struct lws_context;
struct lws_vhost;

namespace tickwire {

class Connection;

class LwsContext {
 public:
  LwsContext() = default;
  ~LwsContext();
  LwsContext(const LwsContext&) = delete;
  LwsContext& operator=(const LwsContext&) = delete;

  Status open();
  // Closes everything, with the callbacks that this brings.
  void close();

  // A client's socket, which it owns from now on, also when it fails. lws reads `bytes` first, before this
  // returns; callbacks tell `client`. False: it is closed already, or will be.
  bool adopt(int socket, Connection* client, std::string_view bytes);

  // What was seen of an adopted socket: POLLIN, POLLOUT, POLLHUP. Not within a callback. False: lws has
  // closed it, or goes on to once what it still holds has left; then it asks for POLLOUT no more by itself.
  bool serve(int socket, short events);
  // Descriptors from this number on cannot be adopted.
  [[nodiscard]] int descriptors_max() const { return descriptors_max_; }

 private:
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  int descriptors_max_ = 0;
};

}  // namespace tickwire
