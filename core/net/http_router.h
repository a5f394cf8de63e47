// HttpRouter: what each URL answers: the pages of web/, /v1/topics, /v1/snapshot/<topic>, /v1/sessions,
// /health.
//
// Thread: one loop's; it only reads. Hub, access and source outlive it.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "fanout/access.h"
#include "fanout/session_report.h"
#include "hub/hub.h"
#include "net/http_message.h"
#include "net/http_source.h"
#include "net/static_file.h"

namespace tickwire {

class HttpRouter {
 public:
  struct Parts {
    const Hub& hub;
    const Access& access;
    const HttpSource& source;
    const std::vector<StaticFile>& files;
    std::string epoch;
    std::string admin_token{};
  };
  explicit HttpRouter(Parts parts) : parts_(std::move(parts)) {}

  // Sessions belong to many loops: who asks for them gets an answer from source().list_sessions later.
  using Answer = std::variant<HttpResponse, SessionsQuery>;
  [[nodiscard]] Answer answer(const HttpRequest& request, bool draining) const;

  [[nodiscard]] const HttpSource& source() const { return parts_.source; }

 private:
  [[nodiscard]] Answer sessions(const HttpRequest& request) const;
  [[nodiscard]] HttpResponse topics(const HttpRequest& request) const;
  [[nodiscard]] HttpResponse snapshot(std::string_view topic) const;
  [[nodiscard]] HttpResponse health(bool draining) const;
  [[nodiscard]] HttpResponse file(const HttpRequest& request) const;

  const Parts parts_;
};

}  // namespace tickwire
