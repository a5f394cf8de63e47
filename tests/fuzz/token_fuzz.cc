// JSON Web Tokens: as they come, and with a header and claims that were signed rightly.
#include <nlohmann/json.hpp>
#include <string>

#include "access/jws.h"
#include "access/token_verifier.h"
#include "fakes/token_maker.h"
#include "fuzz.h"
#include "protocol/command.h"

using tickwire::fuzz::require;

namespace {

constexpr std::int64_t kNowMs = 1'800'000'000'000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tickwire;
  static const TokenMaker kMaker(SignatureAlgorithm::kHs256);
  static const TokenMaker kOther(SignatureAlgorithm::kEs256);
  static const TokenVerifier kVerifier([] {
    TokenRules rules;
    rules.keys = {kMaker.key("k"), kOther.key()};
    rules.audience = "a";
    return rules;
  }());
  fuzz::Input input(data, size);
  std::string token;
  if ((input.byte() & 1U) != 0) {
    const std::string header(input.until('\n'));
    token = kMaker.signed_texts(header, input.rest());
  } else {
    token = input.rest();
  }
  const Result<Jws> jws = read_jws(token);
  if (jws)
    require(token.size() <= kTokenBytesMax && token.starts_with(jws->signed_text), "it is within its limit");
  const Result<VerifiedToken> verified = kVerifier.verify(token, kNowMs);
  if (!verified) {
    const std::string& message = verified.error().message;
    require(!message.empty() && message.size() < 300, "an error is short");
    // No word of a message is so long; whole sentences the fuzzer finds by itself.
    const std::string begin = token.substr(0, 18);
    const bool may_be_token = begin.size() == 18 && begin.find_first_of(" .:") == std::string::npos;
    require(!may_be_token || message.find(begin) == std::string::npos, "an error has no token");
    return 0;
  }
  // The corpus has one that is signed rightly as it comes.
  require(jws && jws->algorithm == "HS256" && jws->signature == kMaker.sign(jws->signed_text),
          "only what is signed is taken");
  const nlohmann::json claims = nlohmann::json::parse(verified->claims);
  require(claims.at("exp").is_number() && verified->grant->expires_ms > kNowMs,
          "what is taken has not expired");
  for (const Pattern& pattern : verified->grant->subscribe) {
    require(verified->grant->lets_subscribe(pattern.text()), "a pattern covers itself");
  }
  return 0;
}
