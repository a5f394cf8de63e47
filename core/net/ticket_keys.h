// TicketKeys: the keys of TLS session tickets, which all loops share, so that a session is resumed at any of
// them. A ticket holds the secrets of its session: whoever learns its key can read what was said, so keys are
// replaced. A key makes tickets until rotate(), and reads them until the rotate() after that.
//
// Any thread; a mutex, held for one ticket. It outlives the contexts that it is set up in.
#pragma once

#include <openssl/ssl.h>

#include <array>

#include "base/mutex.h"

namespace tickwire {

class TicketKeys {
 public:
  struct Key {
    std::array<unsigned char, 16> name;  // as tickets have it; zeros: there is no key
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
    [[nodiscard]] bool there() const { return name != decltype(name){}; }
  };

  TicketKeys() { forget(); }
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Tickets of the key before the last one are void.
  void rotate();
  // All tickets are void.
  void forget();
  // Tickets of this context are made and read with these keys. False: OpenSSL has no memory.
  bool set_up(SSL_CTX* context);

 private:
  // What SSL_CTX_set_tlsext_ticket_key_evp_cb(3) describes.
  static int on_ticket(SSL* handshake, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int makes);
  int make(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  int read(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);

  Mutex mutex_;
  std::array<Key, 2> keys_ GUARDED_BY(mutex_){};  // the first makes tickets
};

}  // namespace tickwire
