#include "fanout/topic_page.h"

#include <utility>

namespace tickwire {

bool TopicPage::run(const Budget& budget) {
  while (!budget.spent()) {
    std::vector<UpdatePtr> found;
    const bool end = hub_.list(pattern_, place_, limit_ + 1 - topics_.size(), budget, found);
    for (UpdatePtr& update : found) {
      Work::count();
      if (!is_shown(update->topic().name)) continue;
      more_ = topics_.size() == limit_;
      if (more_) return true;
      topics_.push_back(std::move(update));
    }
    if (end) return true;
  }
  return false;
}

bool TopicPage::is_shown(std::string_view topic) const {
  const Verdict verdict = access_.check(Action::kSubscribe, topic);
  if (verdict == Verdict::kAllow) return true;
  return verdict != Verdict::kDeny && grant_ != nullptr && grant_->lets_subscribe(topic);
}

std::string_view TopicPage::next() const {
  return more_ ? std::string_view(topics_.back()->topic().name) : std::string_view();
}

}  // namespace tickwire
