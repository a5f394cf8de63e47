// The two functions through which libwebsockets calls us: for clients, and for watched descriptors. Each
// turns a reason into one method call. Loop thread.
#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <cstdint>

namespace tickwire {

// How often lws has called.
extern thread_local std::uint64_t callbacks_on_this_thread;

int client_callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size);
int watch_callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size);

}  // namespace tickwire
