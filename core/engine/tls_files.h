// TlsFiles: the files of a server's certificate and key, read at its start, when it is told to, and whenever
// they have changed. A pair that does not fit is logged, and the one before stays. One that expires soon is
// warned of.
//
// create() before the loops, which use server(); look() on the housekeeping thread; the rest from any.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/mutex.h"
#include "engine/config.h"
#include "engine/expiry_warning.h"
#include "net/tls.h"

namespace tickwire {

class TlsFiles {
 public:
  // kBadConfig.
  static Result<std::unique_ptr<TlsFiles>> create(const Config& config);

  TlsServer& server() { return server_; }
  // Reads the files that `fresh` names.
  void reload(const Config& fresh);
  // Reads the files if they have changed and were left alone since the last look, and replaces the keys of
  // tickets once a day. To be called once a second; `now_s`: Unix time.
  void look(std::int64_t now_s);
  // Unix time.
  [[nodiscard]] std::int64_t expires_s() const { return server_.certificate().expires_s(); }

 private:
  // What tells one content of both files from another, without reading them.
  struct Version {
    std::array<std::int64_t, 8> facts{};
    bool operator==(const Version&) const = default;
  };

  TlsFiles(const Config& config, TlsCertificate certificate);
  [[nodiscard]] Version version() const REQUIRES(mutex_);
  void load() REQUIRES(mutex_);

  TlsServer server_;
  Mutex mutex_;
  std::string certificate_ GUARDED_BY(mutex_);
  std::string key_ GUARDED_BY(mutex_);
  Version loaded_ GUARDED_BY(mutex_);              // or refused
  Version seen_ GUARDED_BY(mutex_);                // at the last look
  std::int64_t rotated_s_ GUARDED_BY(mutex_) = 0;  // when ticket keys were replaced last
  ExpiryWarning warning_ GUARDED_BY(mutex_);
};

}  // namespace tickwire
