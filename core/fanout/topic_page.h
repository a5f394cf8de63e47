// TopicPage: a page of the topics that anybody may know of, for the command `list` and GET /v1/topics. Any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fanout/access.h"
#include "hub/hub.h"

namespace tickwire {

struct TopicPage {
  std::vector<UpdatePtr> topics;  // in order of name
  std::string next;               // `after` of the next page: the last name of this one; empty: there is none
};

// The topics after `after` that exist, match and that no authorizer guards, at most `limit`. A guarded name
// is its authorizer's to tell, so neither topics nor next ever hold one, nor does next say that only guarded
// ones follow.
TopicPage list_topics(const Hub& hub, const Access& access, const Pattern& pattern, std::string_view after,
                      std::size_t limit);

}  // namespace tickwire
