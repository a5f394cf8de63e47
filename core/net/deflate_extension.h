// What libwebsockets is told of permessage-deflate: that the name is known, and nothing else. It then lets
// RSV1 through and hands payloads up as they came; all of RFC 7692 is ours (codec/), since lws' own
// implementation has its takeover flags the wrong way round for a server and shares receive state.
// Loop thread.
#pragma once

struct lws;
struct lws_extension;

namespace tickwire {

// A table with that one extension and its end, for lws_context_creation_info.
const lws_extension* deflate_extensions();

}  // namespace tickwire
