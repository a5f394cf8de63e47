// The plans of requests that read: what each does with its session. Loop thread.
#pragma once

#include <memory>

#include "net/http_reads.h"
#include "net/request_session.h"

namespace tickwire {

std::unique_ptr<RequestPlan> plan_for(ReadRequest request);
std::unique_ptr<RequestPlan> plan_for(WaitRequest request);

}  // namespace tickwire
