// What all loops share of TLS: two contexts stand for two loops, and OpenSSL's own client talks to them in
// memory.
#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "fakes/temporary_folder.h"

namespace tickwire {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

// A pair that is issued by itself.
TlsCertificate certificate() {
  const TemporaryFolder folder;
  const std::string files[] = {(folder.path() / "cert.pem").string(), (folder.path() / "key.pem").string()};
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const issued = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(issued), 0);
  X509_gmtime_adj(X509_getm_notAfter(issued), 86'400);
  X509_set_pubkey(issued, key);
  X509_sign(issued, key, EVP_sha256());
  std::FILE* const out[] = {std::fopen(files[0].c_str(), "w"), std::fopen(files[1].c_str(), "w")};
  PEM_write_X509(out[0], issued);
  PEM_write_PrivateKey(out[1], key, nullptr, nullptr, 0, nullptr, nullptr);
  for (std::FILE* const file : out) EXPECT_EQ(std::fclose(file), 0);
  X509_free(issued);
  EVP_PKEY_free(key);
  auto loaded = TlsCertificate::load(files[0], files[1]);
  EXPECT_TRUE(loaded.ok()) << loaded.error().message;
  return std::move(*loaded);
}

class Tickets : public testing::TestWithParam<int> {
 protected:
  static Context context_of(TlsServer& server) {
    Context context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    EXPECT_TRUE(server.configure(context.get()));
    return context;
  }

  // A handshake with `loop`, which resumes `with` if that is possible. Keeps the ticket that it brings, if
  // any.
  bool resumes(const Context& loop, SSL_SESSION* with) {
    ticket_.reset();
    SSL* const client = SSL_new(client_.get());
    SSL* const server = SSL_new(loop.get());
    BIO* ends[2] = {};
    EXPECT_EQ(BIO_new_bio_pair(&ends[0], 0, &ends[1], 0), 1);
    SSL_set_bio(client, ends[0], ends[0]);
    SSL_set_bio(server, ends[1], ends[1]);
    SSL_set_min_proto_version(client, GetParam());
    SSL_set_max_proto_version(client, GetParam());
    if (with != nullptr) SSL_set_session(client, with);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client);
      SSL_do_handshake(server);
    }
    std::array<char, 1> nothing{};
    SSL_read(client, nothing.data(), nothing.size());  // a ticket of TLS 1.3 comes after the handshake
    EXPECT_TRUE(SSL_is_init_finished(client) == 1 && SSL_is_init_finished(server) == 1);
    const bool resumed = SSL_session_reused(client) == 1;
    // keep() is not told of a ticket that renews one of TLS 1.2; the session has it.
    if (GetParam() == TLS1_2_VERSION) ticket_.reset(SSL_get1_session(client));
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN);  // else its session would not be taken again
    SSL_free(client);
    SSL_free(server);
    return resumed;
  }
  Session take() { return std::move(ticket_); }

  static int keep(SSL* client, SSL_SESSION* session) {
    static_cast<Tickets*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(client)))->ticket_.reset(session);
    return 1;
  }
  void SetUp() override {
    SSL_CTX_set_app_data(client_.get(), this);
    SSL_CTX_set_session_cache_mode(client_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client_.get(), &Tickets::keep);
  }

  Session ticket_{nullptr, &SSL_SESSION_free};
  Context client_{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
  TlsServer server_{certificate(), TlsVersion::k12};
  Context one_ = context_of(server_);
  Context other_ = context_of(server_);
};

TEST_P(Tickets, OfOneLoopAreGoodAtEveryLoop) {
  EXPECT_FALSE(resumes(one_, nullptr));
  const Session ticket = take();
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(resumes(other_, ticket.get()));
}

TEST_P(Tickets, AreGoodUntilTheirKeyWasReplacedTwiceAndAreRenewedBefore) {
  EXPECT_FALSE(resumes(one_, nullptr));
  const Session first = take();
  ASSERT_TRUE(first);
  server_.rotate_ticket_keys();
  EXPECT_TRUE(resumes(other_, first.get()));
  const Session renewed = take();
  ASSERT_TRUE(renewed);
  server_.rotate_ticket_keys();
  EXPECT_FALSE(resumes(one_, first.get()));
  EXPECT_TRUE(resumes(other_, renewed.get()));
}

TEST_P(Tickets, OfAnotherCertificateAreVoid) {
  EXPECT_FALSE(resumes(one_, nullptr));
  const Session ticket = take();
  ASSERT_TRUE(ticket);
  server_.replace(certificate());
  EXPECT_FALSE(resumes(one_, ticket.get()));
  const Session next = take();
  ASSERT_TRUE(next);
  EXPECT_TRUE(resumes(other_, next.get()));
}

INSTANTIATE_TEST_SUITE_P(Versions, Tickets, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace tickwire
