// ClientInfo: who is at the other end, as authorizers see it. A plain value.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/shares.h"

namespace tickwire {

// What of the request that became the session is kept for plugins (net/identity.h). Immutable.
struct ClientRequest {
  using Fields = std::vector<std::pair<std::string, std::string>>;  // each name once

  Fields headers;  // names in lower case
  Fields cookies;
};

struct ClientInfo {
  std::string session;    // its name, unique in the process
  std::string remote;     // "127.0.0.1:54321", or "local" for an in-process session
  std::string token;      // the last one sent
  std::string claims;     // a JSON object; empty before authentication
  PeerAddress address{};  // what limits by address count it as
  std::shared_ptr<const ClientRequest> request = {};  // null: nothing of it is kept
  std::string subject = {};                           // whose token it is, `sub` of the claims; empty: none
};

}  // namespace tickwire
