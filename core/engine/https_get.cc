#include "engine/https_get.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace tickwire {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";
constexpr long kHttpOk = 200;

struct Body {
  std::string text;
  std::size_t bytes_max = 0;
  const std::atomic<bool>& stop;
};

std::size_t keep_bytes(const char* bytes, std::size_t /*one*/, std::size_t count, void* user) {
  auto& body = *static_cast<Body*>(user);
  if (count > body.bytes_max - body.text.size()) return 0;  // which ends the transfer
  body.text.append(bytes, count);
  return count;
}

int is_stopped(void* user, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up*/, curl_off_t /*sent*/) {
  return static_cast<Body*>(user)->stop ? 1 : 0;
}

// Of `http://host:port/path`.
std::string_view host_of(std::string_view url) {
  url.remove_prefix(kHttp.size());
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_this_machine(std::string_view url) {
  static constexpr std::array<std::string_view, 3> kNames{"localhost", "127.0.0.1", "[::1]"};
  return url.starts_with(kHttp) && std::ranges::find(kNames, host_of(url)) != kNames.end();
}

Error no_answer(std::string_view problem) {
  return {ErrorCode::kUnavailable, std::string(problem), ""};
}

}  // namespace

bool is_url(std::string_view text) {
  return text.find("://") != std::string_view::npos;
}

Status check_url(const std::string& url) {
  if (url.starts_with(kHttps) || is_this_machine(url)) return ok_status();
  return Error{
      ErrorCode::kBadConfig,
      fmt::format("{} is not https:// (http:// is for localhost, 127.0.0.1 and [::1])", url.substr(0, 200)),
      ""};
}

Result<std::string> https_get(const std::string& url, std::size_t bytes_max, const std::atomic<bool>& stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> get(curl_easy_init(), &curl_easy_cleanup);
  if (!get) return no_answer("no memory");
  Body body{.text = {}, .bytes_max = bytes_max, .stop = stop};
  std::array<char, CURL_ERROR_SIZE> problem{};
  curl_easy_setopt(get.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(get.get(), CURLOPT_PROTOCOLS_STR, is_this_machine(url) ? "http,https" : "https");
  curl_easy_setopt(get.get(), CURLOPT_TIMEOUT_MS, long{kGetMsMax});
  curl_easy_setopt(get.get(), CURLOPT_NOSIGNAL, 1L);  // other threads have their own
  curl_easy_setopt(get.get(), CURLOPT_ERRORBUFFER, problem.data());
  curl_easy_setopt(get.get(), CURLOPT_WRITEFUNCTION, &keep_bytes);
  curl_easy_setopt(get.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(get.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(get.get(), CURLOPT_XFERINFOFUNCTION, &is_stopped);
  curl_easy_setopt(get.get(), CURLOPT_XFERINFODATA, &body);
  // OpenSSL reads the variable by itself; libcurl names it a file of its own.
  if (const char* file = std::getenv("SSL_CERT_FILE")) curl_easy_setopt(get.get(), CURLOPT_CAINFO, file);
  const CURLcode ended = curl_easy_perform(get.get());
  if (ended == CURLE_WRITE_ERROR)
    return no_answer(fmt::format("the answer is longer than {} bytes", bytes_max));
  if (ended != CURLE_OK)
    return no_answer(problem.front() != '\0' ? problem.data() : curl_easy_strerror(ended));
  long status = 0;
  curl_easy_getinfo(get.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != kHttpOk) return no_answer(fmt::format("the answer has the status {}", status));
  return std::move(body.text);
}

}  // namespace tickwire
