#include "access/pem_keys.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <utility>

namespace tickwire {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";

Error bad_pem(std::string what) {
  return {ErrorCode::kBadConfig, std::move(what), ""};
}

VerifyingKey::PublicKey read_one(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  EVP_PKEY* key = source == nullptr ? nullptr : PEM_read_bio_PUBKEY(source.get(), nullptr, nullptr, nullptr);
  return VerifyingKey::owned(key);
}

}  // namespace

Result<std::vector<VerifyingKey>> read_pem_keys(std::string_view pem) {
  std::vector<VerifyingKey> keys;
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos;) {
    const std::size_t next = pem.find(kBegin, at + kBegin.size());
    const std::string_view block = pem.substr(at, next == std::string_view::npos ? next : next - at);
    at = next;
    const std::string_view label = block.substr(kBegin.size(), block.find('\n'));
    if (label.find("PRIVATE KEY") != std::string_view::npos) {
      return bad_pem("holds a private key; the server needs the public one alone (openssl pkey -pubout)");
    }
    if (!label.starts_with("PUBLIC KEY-----")) {
      return bad_pem("holds something other than PUBLIC KEY blocks (openssl pkey -pubout writes them)");
    }
    VerifyingKey::PublicKey read = read_one(block);
    if (read == nullptr) return bad_pem("holds a PUBLIC KEY block that cannot be read");
    Result<VerifyingKey> key = VerifyingKey::of_public(std::move(read));
    if (!key) return bad_pem("holds " + key.error().message);
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return bad_pem("holds no PUBLIC KEY block");
  return keys;
}

}  // namespace tickwire
