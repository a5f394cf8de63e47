// AdminAction: what an admin may have done, by a POST at the admin listener or by the program that the server
// runs in. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "fanout/session_target.h"

namespace tickwire {

// Ends sessions for good, and refuses the tokens of a subject that were issued until now.
struct Revoke {
  SessionTarget target;
};
// Ends sessions, whose clients may connect again at once.
struct Disconnect {
  SessionTarget target;
};
struct SetLogLevel {
  std::string level;  // as log.level of the configuration
};
// Sends all clients away and takes no more. The process stays until it is stopped.
struct Drain {};
// Ends the feeds of a plugin, and starts them again.
struct RestartPlugin {
  std::string plugin;
};

// Holds a topic, whatever its feed says of it.
struct HaltTopic {
  std::string topic;
  std::string reason;
  std::int64_t until_ms = 0;  // Unix; 0: until it is ended
};
struct EndHalt {
  std::string topic;
};

using AdminAction = std::variant<Revoke, Disconnect, SetLogLevel, Drain, RestartPlugin, HaltTopic, EndHalt>;

// Who asks for it, for the audit log.
struct AdminActor {
  std::string who;   // by which right: "admin socket", "auth.admin_token", "program"
  std::string from;  // "uid 0, pid 4711", "192.0.2.7:50123", "this process"
};

}  // namespace tickwire
