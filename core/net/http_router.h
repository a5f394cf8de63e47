// HttpRouter: what each URL of the public port answers: the pages of web/, /health, /ready, and what
// HttpReads does. What is for the plant's admin stands in AdminRouter.
//
// Thread: one loop's; it only reads. Hub, access and source outlive it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fanout/access.h"
#include "hub/hub.h"
#include "net/http_message.h"
#include "net/http_reads.h"
#include "net/http_source.h"
#include "net/static_file.h"

namespace tickwire {

inline constexpr std::string_view kHealthPath = "/health";
inline constexpr std::string_view kReadyPath = "/ready";
inline constexpr std::string_view kSessionsPath = "/v1/sessions";
inline constexpr std::string_view kMetricsPath = "/metrics";

// The answer to what is no GET or HEAD in order, whatever its path; nothing: it is one.
std::optional<HttpResponse> refusal_of(const HttpRequest& request);

class HttpRouter {
 public:
  struct Parts {
    const Hub& hub;
    const Access& access;
    HttpSource& source;
    const std::vector<StaticFile>& files;
  };
  explicit HttpRouter(Parts parts) : parts_(parts), reads_(parts.hub, parts.access) {}

  using Answer = HttpReads::Answer;
  [[nodiscard]] Answer answer(const HttpRequest& request, bool draining) const;
  // 200; 503 while a loop stands still, or draining.
  [[nodiscard]] HttpResponse health(HealthDetail detail, bool draining) const;
  // A file of web/, which everybody may have; nothing: there is none at this path.
  [[nodiscard]] std::optional<HttpResponse> file(const HttpRequest& request) const;

  [[nodiscard]] HttpSource& source() const { return parts_.source; }

 private:
  [[nodiscard]] HttpResponse ready(bool draining) const;

  const Parts parts_;
  const HttpReads reads_;
};

}  // namespace tickwire
