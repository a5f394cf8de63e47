// read_pem_keys: the public keys of a PEM file, as `openssl pkey -pubout` writes them.
// No state; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "access/verifying_key.h"
#include "base/error.h"

namespace tickwire {

// In the order of the file, at least one; they have no id. kBadConfig: there is none, one cannot be read, is
// private (a server that only checks tokens should not hold what signs them), or is not one that VerifyingKey
// takes. The message repeats nothing of `pem`.
Result<std::vector<VerifyingKey>> read_pem_keys(std::string_view pem);

}  // namespace tickwire
