// AdminRouter: what each URL of the admin listener answers: the admin page at /, /health in full, /metrics,
// /v1/sessions, and whatever the public port answers.
//
// Thread: one loop's; it only reads. `site` outlives it. Over TCP each request proves itself: the token, no
// Origin but that of the admin page, and a Host that no page can have made to lead here (DNS rebinding): an
// address, or localhost. Files of web/ need no token: a browser has none when it opens a page, and they hold
// nothing of this plant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"
#include "fanout/session_report.h"
#include "net/door.h"
#include "net/http_message.h"
#include "net/http_router.h"

namespace tickwire {

class AdminRouter {
 public:
  AdminRouter(const HttpRouter& site, std::string token) : site_(site), token_(std::move(token)) {}

  // Sessions belong to many loops: who asks for them gets an answer from HttpSource::list_sessions later.
  using Answer = std::variant<HttpResponse, AnswerInPieces, SessionsQuery, ReadRequest, WaitRequest>;
  // Why nobody may ask for anything that way, whatever it is; nothing: an admin does.
  [[nodiscard]] std::optional<HttpResponse> refusal_for(const HttpRequest& request, Door door) const;
  [[nodiscard]] Answer answer(const HttpRequest& request, Door door, bool draining) const;

 private:
  [[nodiscard]] std::optional<HttpResponse> page(const HttpRequest& request) const;
  [[nodiscard]] Status admit(const HttpRequest& request, Door door) const;

  const HttpRouter& site_;
  const std::string token_;  // empty: TCP is answered nothing
};

// ?sort= and ?limit= of /v1/sessions. kBadMessage names the parameter and what is allowed.
Result<SessionsQuery> read_sessions_query(const HttpRequest& request);

}  // namespace tickwire
