// DeadlineList: who waits for one and the same length of time, in the order in which it ends. Adding,
// removing and finding the overdue each take constant time, which a sorted list of timers (libwebsockets' own
// walks all of its timers at each insertion) does not.
//
// One loop's thread. Owns nothing: a DeadlineNode is part of what waits, and leaves its list when destroyed.
// Invariant: a node is in one list at most.
#pragma once

#include <cstdint>

namespace tickwire {

class DeadlineList;

class DeadlineNode {
 public:
  DeadlineNode() = default;
  ~DeadlineNode() { leave(); }
  DeadlineNode(const DeadlineNode&) = delete;
  DeadlineNode& operator=(const DeadlineNode&) = delete;

  void leave();

 private:
  friend class DeadlineList;
  DeadlineList* list_ = nullptr;
  DeadlineNode* previous_ = nullptr;
  DeadlineNode* next_ = nullptr;
  std::int64_t due_us_ = 0;
};

class DeadlineList {
 public:
  explicit DeadlineList(int wait_ms) : wait_us_(std::int64_t{wait_ms} * 1000) {}
  ~DeadlineList();
  DeadlineList(const DeadlineList&) = delete;
  DeadlineList& operator=(const DeadlineList&) = delete;

  // Starts the wait now, also of what waits already, here or in another list.
  void start(DeadlineNode& node, std::int64_t now_us);
  // The one overdue for longest, taken out of the list; null: none.
  DeadlineNode* take_overdue(std::int64_t now_us);

 private:
  friend class DeadlineNode;
  const std::int64_t wait_us_;
  DeadlineNode* first_ = nullptr;
  DeadlineNode* last_ = nullptr;
};

}  // namespace tickwire
