// Jobs: work that is too long for one go, done a piece at a time, each job in its turn, between the shard's
// turns. So a client whose commands are costly waits for itself, and nobody else for it.
//
// Loop thread. A piece ends when its Budget (base/work.h) is spent.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "base/work.h"

namespace tickwire {

class Jobs {
 public:
  // Does a piece; true: the job is done. May add jobs.
  using Piece = std::function<bool(const Budget&)>;

  explicit Jobs(std::uint64_t piece_steps) : piece_steps_(piece_steps) {}

  // What a piece that begins now may do.
  [[nodiscard]] Budget budget() const { return Budget(piece_steps_); }
  void add(Piece piece) { waiting_.push_back(std::move(piece)); }
  // Does the first piece at once; what is left follows in run_piece().
  void start(Piece piece) {
    if (!piece(budget())) add(std::move(piece));
  }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  // One piece, of the job that has waited longest.
  void run_piece() {
    if (waiting_.empty()) return;
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    if (!piece(budget())) add(std::move(piece));
  }
  // Forgets the jobs that are not done.
  void drop() { waiting_.clear(); }

 private:
  const std::uint64_t piece_steps_;
  std::deque<Piece> waiting_;
};

}  // namespace tickwire
