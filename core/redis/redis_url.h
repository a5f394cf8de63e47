// RedisUrl: where an engine is, as cluster.url says it: redis://[[user]:password@]host[:port][/database].
// Values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire::redis {

inline constexpr int kPortDefault = 6379;
inline constexpr int kDatabaseMax = 65'535;

struct RedisUrl {
  std::string host;  // without the brackets of [::1]
  int port = kPortDefault;
  std::string user;  // empty: the default one
  std::string password;
  int database = 0;

  // kBadConfig, which repeats nothing of the text: it may hold a password.
  static Result<RedisUrl> parse(std::string_view text);
  // For people: without user and password.
  [[nodiscard]] std::string text() const;
};

}  // namespace tickwire::redis
