// Writing by the rules under which raw writes are safe (docs/ARCHITECTURE.md, net). Loop thread.
#pragma once

#include <libwebsockets.h>

#include <string_view>

namespace tickwire {

// lws still holds bytes of a write that the kernel did not take: nothing may be written until WRITEABLE.
inline bool lws_holds_part(lws* wsi) {
  return lws_partial_buffered(wsi) != 0;
}

// Takes all of it, or the connection is lost (false). Only a negative result is an error: 0 or a part is what
// lws reports when it had to keep the rest.
inline bool lws_write_raw(lws* wsi, std::string_view bytes) {
  // lws does not change what it is given to write raw, but its interface has no const.
  auto* start = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return lws_write(wsi, start, bytes.size(), LWS_WRITE_RAW) >= 0;
}

}  // namespace tickwire
