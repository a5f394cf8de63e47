// audit: one line in the log for each thing that an admin did: who, from where, what; the line has the time.
//
// Lines begin with "audit:" and are written whatever log.level says. Any thread.
#pragma once

#include <string_view>

#include "net/http_source.h"

namespace tickwire {

// `what`: as in `revoke subject="mia" sessions=2`; it quotes what others chose.
void audit(const AdminActor& by, std::string_view what);

}  // namespace tickwire
