#include "net/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstddef>

namespace tickwire {
namespace {

// What the callback answers.
constexpr int kFailed = -1;
constexpr int kUnknown = 0;  // a whole handshake, then
constexpr int kDone = 1;
constexpr int kDoneAndRenew = 2;

// Where a context says whose keys it has.
int place_in_context() {
  static const int kPlace = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kPlace;
}

// Without random numbers nothing may be encrypted: a key of zeros everybody knows.
void fill(TicketKeys::Key& key) {
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      RAND_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
      RAND_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
    key = {};
  }
}

bool set_mac(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  std::array<char, 7> digest{"SHA256"};
  const std::array params{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

}  // namespace

TicketKeys::~TicketKeys() {
  const MutexLock lock(mutex_);
  OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

void TicketKeys::rotate() {
  const MutexLock lock(mutex_);
  keys_[1] = keys_[0];
  fill(keys_[0]);
}

void TicketKeys::forget() {
  const MutexLock lock(mutex_);
  for (Key& key : keys_) fill(key);
}

bool TicketKeys::set_up(SSL_CTX* context) {
  return SSL_CTX_set_ex_data(context, place_in_context(), this) == 1 &&
         SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TicketKeys::on_ticket) == 1;
}

int TicketKeys::on_ticket(SSL* handshake, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int makes) {
  auto* const keys =
      static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(handshake), place_in_context()));
  return makes == 1 ? keys->make(name, iv, cipher, mac) : keys->read(name, iv, cipher, mac);
}

int TicketKeys::make(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  const EVP_CIPHER* const aes = EVP_aes_256_cbc();
  const MutexLock lock(mutex_);
  Key& key = keys_[0];
  if (!key.there()) return kUnknown;  // and no ticket
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
      EVP_EncryptInit_ex(cipher, aes, nullptr, key.cipher.data(), iv) != 1 || !set_mac(mac, key)) {
    return kFailed;
  }
  std::ranges::copy(key.name, name);
  return kDone;
}

int TicketKeys::read(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac) {
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    Key& key = keys_.at(i);
    if (!key.there() || !std::equal(key.name.begin(), key.name.end(), name)) continue;
    if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) != 1 ||
        !set_mac(mac, key)) {
      return kFailed;
    }
    return i == 0 ? kDone : kDoneAndRenew;
  }
  return kUnknown;
}

}  // namespace tickwire
