// TLS of the server: the certificate that it shows, and what every loop's OpenSSL context is set up with.
//
// TlsCertificate is a value, good in any thread. TlsServer is shared by all loops and outlives them; any
// thread.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/mutex.h"
#include "net/net_config.h"
#include "net/ticket_keys.h"

namespace tickwire {

// A certificate chain and its private key, which were checked to belong together.
class TlsCertificate {
 public:
  // PEM files: the server's certificate first, then those that lead to its issuer's; and the key, without a
  // passphrase. kBadConfig, which names the setting and the file; nothing of a key is in the message.
  static Result<TlsCertificate> load(const std::string& certificate, const std::string& key);

  [[nodiscard]] std::int64_t expires_s() const { return expires_s_; }  // Unix time
  [[nodiscard]] std::string expires_text() const;                      // "2026-03-01 12:00:00 UTC"
  // Makes it the one that a handshake goes on with. False: OpenSSL has no memory.
  bool use(SSL* handshake) const;

 private:
  explicit TlsCertificate(std::shared_ptr<SSL_CTX> holder);
  std::shared_ptr<SSL_CTX> holder_;
  std::int64_t expires_s_ = 0;
};

class TlsServer {
 public:
  TlsServer(TlsCertificate certificate, TlsVersion min_version);
  ~TlsServer() = default;
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // Handshakes that begin from now on are answered with it; open connections stay as they are, and sessions
  // of before are not resumed.
  void replace(TlsCertificate certificate);
  [[nodiscard]] TlsCertificate certificate() const;
  // Once a day: see TicketKeys.
  void rotate_ticket_keys() { ticket_keys_.rotate(); }
  // Sets up a loop's context: versions, ciphers, the certificate, tickets that every loop can read.
  bool configure(SSL_CTX* context);

 private:
  static int on_certificate(SSL* handshake, void* self);

  const TlsVersion min_version_;
  TicketKeys ticket_keys_;
  mutable Mutex mutex_;
  TlsCertificate certificate_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
