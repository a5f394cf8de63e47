// The function through which libwebsockets calls us. It turns a reason into one method call. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <cstddef>

namespace tickwire {

class Connection;

// While it lasts, the connection on `socket` is `client`'s: lws serves what it is handed with
// a socket before anybody could set one.
class AdoptionScope {
 public:
  AdoptionScope(Connection* client, int socket);
  ~AdoptionScope();
  AdoptionScope(const AdoptionScope&) = delete;
  AdoptionScope& operator=(const AdoptionScope&) = delete;
};
// Whether one lasts: lws 4.1.6 logs two lines for each as errors, which are none.
bool adopting_on_this_thread();

int client_callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size);

}  // namespace tickwire
