// The configuration keys that say whom the server believes and serves: server.hosts, server.origins,
// server.trusted_proxies. Checks them, and brings them into the one spelling that the rules of core/net
// compare. Pure.
#pragma once

#include <vector>

#include "base/error.h"
#include "engine/config.h"
#include "net/net_config.h"
#include "net/proxy_rules.h"

namespace tickwire {

// kBadConfig names the key, the entry and where it came from. Adds to config.warnings what does nothing, and
// what lets anybody choose an address. `addresses`: those of server.listen.
Status check_net_keys(Config& config, const std::vector<ListenAddress>& addresses);

// `config`: one that check_net_keys() has passed.
ProxyRules proxy_rules(const Config& config);

}  // namespace tickwire
