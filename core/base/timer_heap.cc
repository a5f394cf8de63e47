#include "base/timer_heap.h"

#include "base/grow.h"

namespace tickwire {

void Timer::stop() {
  if (heap_ != nullptr) heap_->remove(place_);
}

TimerHeap::~TimerHeap() {
  for (const Entry& entry : entries_) entry.timer->heap_ = nullptr;
}

void TimerHeap::start(Timer& timer, std::int64_t due_us) {
  if (timer.heap_ == this) return settle(timer.place_, {due_us, &timer});
  timer.stop();
  timer.heap_ = this;
  make_room(entries_);
  entries_.push_back({due_us, &timer});
  settle(entries_.size() - 1, entries_.back());
}

Timer* TimerHeap::take_due(std::int64_t now_us) {
  if (entries_.empty() || entries_.front().due_us > now_us) return nullptr;
  Timer* timer = entries_.front().timer;
  remove(0);
  return timer;
}

void TimerHeap::remove(std::size_t place) {
  entries_[place].timer->heap_ = nullptr;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (place < entries_.size()) settle(place, last);
}

void TimerHeap::settle(std::size_t place, Entry entry) {
  while (place > 0 && entry.due_us < entries_[(place - 1) / 2].due_us) {
    put(place, entries_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  while (2 * place + 1 < entries_.size()) {
    std::size_t child = 2 * place + 1;
    if (child + 1 < entries_.size() && entries_[child + 1].due_us < entries_[child].due_us) ++child;
    if (entries_[child].due_us >= entry.due_us) break;
    put(place, entries_[child]);
    place = child;
  }
  put(place, entry);
}

void TimerHeap::put(std::size_t place, Entry entry) {
  entries_[place] = entry;
  entry.timer->place_ = place;
}

}  // namespace tickwire
