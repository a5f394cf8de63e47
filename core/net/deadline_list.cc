#include "net/deadline_list.h"

namespace tickwire {

void DeadlineNode::leave() {
  if (list_ == nullptr) return;
  (previous_ == nullptr ? list_->first_ : previous_->next_) = next_;
  (next_ == nullptr ? list_->last_ : next_->previous_) = previous_;
  list_ = nullptr;
  previous_ = next_ = nullptr;
}

DeadlineList::~DeadlineList() {
  while (first_ != nullptr) first_->leave();
}

void DeadlineList::start(DeadlineNode& node, std::int64_t now_us) {
  node.leave();
  node.list_ = this;
  node.due_us_ = now_us + wait_us_;
  node.previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = &node;
  last_ = &node;
}

DeadlineNode* DeadlineList::take_overdue(std::int64_t now_us) {
  DeadlineNode* node = first_;
  if (node == nullptr || node->due_us_ > now_us) return nullptr;
  node->leave();
  return node;
}

}  // namespace tickwire
