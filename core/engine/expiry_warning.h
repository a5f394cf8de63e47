// ExpiryWarning: when the log says that a certificate expires soon: as soon as it was read, and then once a
// day, from kWarnDays before its end on. Times are Unix times, in seconds. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tickwire {

class ExpiryWarning {
 public:
  static constexpr std::int64_t kWarnDays = 14;

  // Another certificate is shown from now on.
  void begin() { said_s_.reset(); }
  // What is to be said now, if anything. A clock that was set back makes it say it once more.
  std::optional<std::string> look(std::int64_t expires_s, std::int64_t now_s);

 private:
  std::optional<std::int64_t> said_s_;
};

}  // namespace tickwire
