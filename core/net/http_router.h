// HttpRouter: what each URL answers: the pages of web/, /v1/topics, /v1/snapshot/<topic>, /health.
//
// Thread: one loop's; it only reads. Hub, access and source outlive it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fanout/access.h"
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
  };
  explicit HttpRouter(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] HttpResponse answer(const HttpRequest& request, bool draining) const;

 private:
  [[nodiscard]] HttpResponse topics(const HttpRequest& request) const;
  [[nodiscard]] HttpResponse snapshot(std::string_view topic) const;
  [[nodiscard]] HttpResponse health(bool draining) const;
  [[nodiscard]] HttpResponse file(const HttpRequest& request) const;

  const Parts parts_;
};

}  // namespace tickwire
