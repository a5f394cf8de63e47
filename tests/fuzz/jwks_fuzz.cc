// The files of auth.jwt.keys: JSON Web Key Sets, and PEM.
#include "access/jwks.h"

#include "access/pem_keys.h"
#include "fuzz.h"

using tickwire::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<Jwks> set = read_jwks(text)) {
    require(!set->keys.empty(), "a set has a key");
    for (const VerifyingKey& key : set->keys) {
      require(key.id().size() <= kKeyIdBytesMax, "an id is within its limit");
      require(!key.verify("text", text), "a key takes no other signature");
    }
  } else {
    require(!set.error().message.empty() && set.error().message.size() < 300, "an error is short");
  }
  const Result<std::vector<VerifyingKey>> keys = read_pem_keys(text);
  if (keys) require(!keys->empty(), "a file has a key");
  return 0;
}
