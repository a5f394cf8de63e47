// The configuration keys that say how a request names its client: auth.token_cookie, auth.client_headers,
// auth.client_cookies. Pure.
#pragma once

#include "base/error.h"
#include "engine/config.h"
#include "net/identity.h"

namespace tickwire {

// kBadConfig names the key, the entry and where it came from. Brings names of headers to lower case. Adds to
// config.warnings where cookies can never count. After check_net_keys().
Status check_identity_keys(Config& config);

// `config`: one that check_identity_keys() has passed.
IdentityRules identity_rules(const Config& config);

}  // namespace tickwire
