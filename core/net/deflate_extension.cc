#include "net/deflate_extension.h"

#include <libwebsockets.h>

#include <array>
#include <cstddef>

namespace tickwire {
namespace {

// The only parameter of an answer, sent back where the offer has it (RFC 7692 7.1.1.1).
constexpr std::array kOptions{lws_ext_options{"server_no_context_takeover", EXTARG_NONE},
                              lws_ext_options{nullptr, EXTARG_NONE}};

int extension_callback(lws_context* /*context*/, const lws_extension* /*extension*/, lws* /*wsi*/,
                       lws_extension_callback_reasons reason, void* /*user*/, void* in,
                       std::size_t /*size*/) {
  if (reason == LWS_EXT_CB_CONSTRUCT && in != nullptr)
    *static_cast<const lws_ext_options**>(in) = kOptions.data();
  return 0;
}

constexpr std::array kExtensions{
    lws_extension{"permessage-deflate", extension_callback, "permessage-deflate"},
    lws_extension{nullptr, nullptr, nullptr}};

}  // namespace

const lws_extension* deflate_extensions() {
  return kExtensions.data();
}

}  // namespace tickwire
