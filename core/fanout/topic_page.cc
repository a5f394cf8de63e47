#include "fanout/topic_page.h"

#include <utility>

namespace tickwire {
namespace {

constexpr std::size_t kLookedAtOnce = 1'024;

}  // namespace

TopicPage list_topics(const Hub& hub, const Access& access, const Pattern& pattern, std::string_view after,
                      std::size_t limit) {
  TopicPage page;
  std::string place(after);
  for (bool more = true; more;) {
    std::vector<UpdatePtr> found = hub.list(pattern, place, kLookedAtOnce);
    more = found.size() == kLookedAtOnce;
    if (more) place = found.back()->topic().name;
    for (UpdatePtr& update : found) {
      if (access.check(Action::kSubscribe, update->topic().name) != Verdict::kAllow) continue;
      if (page.topics.size() == limit) {
        page.next = page.topics.back()->topic().name;
        return page;
      }
      page.topics.push_back(std::move(update));
    }
  }
  return page;
}

}  // namespace tickwire
