// ClientInfo: who is at the other end, as authorizers see it. A plain value.
#pragma once

#include <string>

#include "base/shares.h"

namespace tickwire {

struct ClientInfo {
  std::string session;    // its name, unique in the process
  std::string remote;     // "127.0.0.1:54321", or "local" for an in-process session
  std::string token;      // the last one sent
  std::string claims;     // a JSON object; empty before authentication
  PeerAddress address{};  // what limits by address count it as
};

}  // namespace tickwire
