#include "redis/redis_url.h"

#include <charconv>
#include <cstdint>
#include <optional>

namespace tickwire::redis {
namespace {

constexpr std::string_view kScheme = "redis://";

Error refused(const std::string& what) {
  return {ErrorCode::kBadConfig,
          "cluster.url: " + what + "; it takes redis://[[user]:password@]host[:port][/database]",
          "cluster.url"};
}

std::optional<int> number_of(std::string_view text, int max) {
  int number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || number < 0 || number > max)
    return std::nullopt;
  return number;
}

int digit_of(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

// %40 for @, as in every URL.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit_of(text[i + 1]);
    const int low = digit_of(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Status take_login(std::string_view login, RedisUrl& url) {
  const std::size_t colon = login.find(':');
  if (colon == std::string_view::npos)
    return refused("a user needs a password behind it, as in user:password@");
  const auto user = decoded(login.substr(0, colon));
  const auto password = decoded(login.substr(colon + 1));
  if (!user || !password) return refused("% in user or password needs two hexadecimal digits behind it");
  if (password->empty()) return refused("the password is empty");
  url.user = *user;
  url.password = *password;
  return ok_status();
}

Status take_place(std::string_view place, RedisUrl& url) {
  std::size_t colon = place.rfind(':');
  if (place.starts_with('[')) {
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) return refused("[ without ] in the host");
    url.host = place.substr(1, end - 1);
    colon = end + 1 < place.size() ? end + 1 : std::string_view::npos;
    if (colon != std::string_view::npos && place[colon] != ':') return refused("only a port may follow ]");
  } else {
    url.host = place.substr(0, colon);
    if (url.host.find(':') != std::string::npos)
      return refused("an IPv6 address needs brackets, as in [::1]");
  }
  if (url.host.empty()) return refused("the host is empty");
  if (colon == std::string_view::npos) return ok_status();
  const auto port = number_of(place.substr(colon + 1), UINT16_MAX);
  if (!port || *port == 0) return refused("the port must be a number from 1 to 65535");
  url.port = *port;
  return ok_status();
}

}  // namespace

Result<RedisUrl> RedisUrl::parse(std::string_view text) {
  if (text.starts_with("rediss://")) {
    return refused(
        "rediss:// (TLS) is not spoken; put both on one private network, or a TLS tunnel (stunnel) "
        "beside the server");
  }
  if (text.starts_with("redis-sentinel://")) return refused("redis-sentinel:// is not spoken yet");
  if (!text.starts_with(kScheme)) return refused("it does not begin with redis://");
  text.remove_prefix(kScheme.size());
  RedisUrl url;
  if (text.find_first_of("?#") != std::string_view::npos)
    return refused("? and # are written %3F and %23 there");
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (Status login = take_login(text.substr(0, at), url); !login) return login.error();
    text.remove_prefix(at + 1);
  }
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view database = text.substr(slash + 1);
    const auto number = number_of(database, kDatabaseMax);
    if (!database.empty() && !number)
      return refused("the database must be a number from 0 to " + std::to_string(kDatabaseMax));
    url.database = number.value_or(0);
    text = text.substr(0, slash);
  }
  if (Status place = take_place(text, url); !place) return place.error();
  return url;
}

std::string RedisUrl::text() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return "redis://" + shown + ":" + std::to_string(port) +
         (database == 0 ? "" : "/" + std::to_string(database));
}

}  // namespace tickwire::redis
