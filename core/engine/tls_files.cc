#include "engine/tls_files.h"

#include <spdlog/spdlog.h>

#include <cstddef>
#include <utility>

namespace tickwire {
namespace {

constexpr std::int64_t kTicketKeyS = 86'400;

}  // namespace

Result<std::unique_ptr<TlsFiles>> TlsFiles::create(const Config& config) {
  auto certificate = TlsCertificate::load(config.tls_certificate, config.tls_key);
  if (!certificate) return certificate.error();
  return std::unique_ptr<TlsFiles>(new TlsFiles(config, std::move(*certificate)));
}

TlsFiles::TlsFiles(const Config& config, TlsCertificate certificate)
    : server_(std::move(certificate), config.tls_min_version),
      certificate_(config.tls_certificate),
      key_(config.tls_key) {
  const MutexLock lock(mutex_);
  loaded_ = seen_ = version();
}

void TlsFiles::reload(const Config& fresh) {
  const MutexLock lock(mutex_);
  certificate_ = fresh.tls_certificate;
  key_ = fresh.tls_key;
  load();
}

// Files that are just being written are read one look later.
void TlsFiles::look(std::int64_t now_s) {
  const MutexLock lock(mutex_);
  const Version now = version();
  if (now != loaded_ && now == seen_) load();
  seen_ = now;
  if (now_s - rotated_s_ >= kTicketKeyS) {
    if (rotated_s_ != 0) server_.rotate_ticket_keys();
    rotated_s_ = now_s;
  }
  const TlsCertificate shown = server_.certificate();
  if (const auto warning = warning_.look(shown.expires_s(), now_s))
    spdlog::warn("the TLS certificate {} (valid until {}) {}", certificate_, shown.expires_text(), *warning);
}

void TlsFiles::load() {
  loaded_ = seen_ = version();
  auto certificate = TlsCertificate::load(certificate_, key_);
  if (!certificate) {
    spdlog::error("the TLS certificate stays as it was: {}", certificate.error().message);
    return;
  }
  spdlog::info("TLS certificate {} read again, valid until {}", certificate_, certificate->expires_text());
  server_.replace(std::move(*certificate));
  warning_.begin();
}

TlsFiles::Version TlsFiles::version() const {
  Version version;
  std::size_t at = 0;
  for (const std::string* path : {&certificate_, &key_}) {
    struct stat found{};
    if (::stat(path->c_str(), &found) != 0) found = {};
    for (const std::int64_t fact :
         {static_cast<std::int64_t>(found.st_ino), std::int64_t{found.st_size},
          std::int64_t{found.st_mtim.tv_sec}, std::int64_t{found.st_mtim.tv_nsec}}) {
      version.facts.at(at++) = fact;
    }
  }
  return version;
}

}  // namespace tickwire
