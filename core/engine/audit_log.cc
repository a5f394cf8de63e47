#include "engine/audit_log.h"

#include <fmt/format.h>

#include "engine/logging.h"
#include "protocol/encode.h"

namespace tickwire {

void audit(const AdminActor& by, std::string_view what) {
  log_always(fmt::format("audit: who={} from={} {}", quote_json(by.who), quote_json(by.from), what));
}

}  // namespace tickwire
