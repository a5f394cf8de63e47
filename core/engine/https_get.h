// https_get: the body of an address, read with libcurl over TLS that is verified by the certificates of this
// machine, or those of the PEM file that the environment variable SSL_CERT_FILE names.
//
// Any thread; it waits, for at most kGetMsMax.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tickwire {

inline constexpr int kGetMsMax = 10'000;

// Whether it begins like an address, and not like a path.
bool is_url(std::string_view text);
// kBadConfig: it is no https:// address. A host of this machine (localhost, 127.0.0.1, ::1) may have http://.
Status check_url(const std::string& url);

// kUnavailable: nobody answered in time, with another status than 200, or with more than `bytes_max` bytes.
// Redirections are not followed. It ends soon after `stop` was set.
Result<std::string> https_get(const std::string& url, std::size_t bytes_max, const std::atomic<bool>& stop);

}  // namespace tickwire
