#include "engine/tls_files.h"

#include <spdlog/spdlog.h>

#include <cstddef>
#include <utility>

namespace tickwire {

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
void TlsFiles::look() {
  const MutexLock lock(mutex_);
  const Version now = version();
  if (now != loaded_ && now == seen_) load();
  seen_ = now;
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
