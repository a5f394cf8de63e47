#include "net/tls.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <string_view>
#include <utility>

#include "base/file_kind.h"

namespace tickwire {
namespace {

constexpr const char* kCertificateKey = "tls.certificate";
constexpr const char* kKeyKey = "tls.key";

// The newest of this thread's OpenSSL errors, in its words; they are all taken away.
std::string openssl_error() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "it cannot be read" : reason;
}

Error refused(const char* key, const std::string& path, std::string_view why) {
  return {ErrorCode::kBadConfig, fmt::format("{}: {}: {}", key, path, why), key};
}

Status check_file(const char* key, const std::string& path) {
  if (path.empty()) {
    return Error{ErrorCode::kBadConfig, fmt::format("{} is empty, but an https:// listener needs it", key),
                 key};
  }
  if (const auto kind = other_than_file(path))
    return refused(key, path, fmt::format("is {}, no file", *kind));
  return ok_status();
}

// A server that asked its terminal for a passphrase would wait there for ever.
int no_passphrase(char* /*text*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return -1;
}

// -1 where the certificate says something that is no time.
std::int64_t unix_time(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::int64_t{::timegm(&parts)} : -1;
}

}  // namespace

TlsCertificate::TlsCertificate(std::shared_ptr<SSL_CTX> holder)
    : holder_(std::move(holder)),
      expires_s_(unix_time(X509_get0_notAfter(SSL_CTX_get0_certificate(holder_.get())))) {}

Result<TlsCertificate> TlsCertificate::load(const std::string& certificate, const std::string& key) {
  if (const Status there = check_file(kCertificateKey, certificate); !there) return there.error();
  if (const Status there = check_file(kKeyKey, key); !there) return there.error();
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> holder(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (holder == nullptr) return refused(kCertificateKey, certificate, "OpenSSL has no memory");
  SSL_CTX_set_default_passwd_cb(holder.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(holder.get(), certificate.c_str()) != 1) {
    return refused(kCertificateKey, certificate, "no certificate in PEM: " + openssl_error());
  }
  if (SSL_CTX_use_PrivateKey_file(holder.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const unsigned long error = ERR_peek_error();
    const bool other = ERR_GET_LIB(error) == ERR_LIB_X509;
    return refused(kKeyKey, key,
                   other ? "does not belong to tls.certificate: " + openssl_error()
                         : "no private key in PEM without a passphrase: " + openssl_error());
  }
  if (SSL_CTX_check_private_key(holder.get()) != 1) {
    return refused(kKeyKey, key, "does not belong to tls.certificate: " + openssl_error());
  }
  return TlsCertificate(std::move(holder));
}

std::string TlsCertificate::expires_text() const {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(expires_s_)));
}

bool TlsCertificate::use(SSL* handshake) const {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(holder_.get(), static_cast<void*>(&chain));
  return SSL_use_cert_and_key(handshake, SSL_CTX_get0_certificate(holder_.get()),
                              SSL_CTX_get0_privatekey(holder_.get()), chain, 1) == 1;
}

TlsServer::TlsServer(TlsCertificate certificate, TlsVersion min_version)
    : min_version_(min_version), certificate_(std::move(certificate)) {}

void TlsServer::replace(TlsCertificate certificate) {
  {
    const MutexLock lock(mutex_);
    certificate_ = std::move(certificate);
  }
  ticket_keys_.forget();
}

TlsCertificate TlsServer::certificate() const {
  const MutexLock lock(mutex_);
  return certificate_;
}

bool TlsServer::configure(SSL_CTX* context) {
  SSL_CTX_set_tlsext_servername_callback(context, nullptr);  // that of lws looks for other virtual hosts
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Sessions are resumed by tickets, which cost no memory here.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_cert_cb(context, &TlsServer::on_certificate, this);
  return SSL_CTX_set_min_proto_version(
             context, min_version_ == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
         // For TLS 1.2 only ciphers that keep their secrets when the key is lost, and authenticate what they
         // encrypt.
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 && ticket_keys_.set_up(context);
}

int TlsServer::on_certificate(SSL* handshake, void* self) {
  SSL_certs_clear(handshake);
  return static_cast<TlsServer*>(self)->certificate().use(handshake) ? 1 : 0;
}

}  // namespace tickwire
