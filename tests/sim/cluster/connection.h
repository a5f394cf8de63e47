// Connection: how a node reaches the engine: it may be cut, before a call is done or after it, may tell less
// than there is or tell it twice, and may let a call arrive only when its caller has given it up.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cluster/log.h"
#include "engine.h"

namespace tickwire::sim {

class Connection final : public cluster::Log, public cluster::Table {
 public:
  using Late = std::vector<std::function<void()>>;
  // `late`: calls that arrive when whoever holds them says so. `between`: what others do before each call.
  Connection(std::mt19937_64& random, Late& late, std::function<void()> between)
      : random_(random), late_(late), between_(std::move(between)) {}

  int faults = 0;  // of 100 calls

  // Null: it cannot be reached. Whoever had another one notices.
  void reach(std::shared_ptr<Engine> other) {
    broken_ = broken_ || engine_ != other;
    engine_ = std::move(other);
  }

  Result<cluster::LogState> hello(const cluster::Hello& hello) override {
    return call([e = engine_, hello] { return e->hello(e->token, hello); });
  }
  Result<cluster::Appended> append(const cluster::Batch& batch) override {
    return call([e = engine_, batch] { return e->append(e->token, batch); });
  }
  Result<cluster::LogState> state(const std::string& node) override {
    return call([e = engine_, node] { return e->look(node); });
  }
  Result<std::vector<cluster::Entry>> read(std::uint64_t after, std::size_t most) override {
    auto some = call([e = engine_, after, most] { return e->read(after, most); });
    if (!some || some->empty()) return some;
    if (pick(4) == 0) some->resize(1 + pick(some->size()));
    if (pick(8) == 0) some->insert(some->begin(), some->front());
    return some;
  }
  Result<bool> begin(const std::string& right, const std::string& node, const std::string& epoch,
                     std::uint64_t n) override {
    return call([e = engine_, right, node, epoch, n] { return e->begin(e->token, right, node, epoch, n); });
  }
  Result<bool> write(const std::string& right, const std::vector<cluster::Row>& rows) override {
    return call([e = engine_, right, rows] { return e->write(e->token, right, rows); });
  }
  Result<bool> end(const std::string& right, const cluster::Position& at, std::uint64_t trim) override {
    return call([e = engine_, right, at, trim] { return e->end(e->token, right, at, trim); });
  }
  Result<cluster::Position> written() override {
    return call([e = engine_] { return e->state.written; });
  }
  Result<cluster::Rows> read_rows(const std::string& cursor) override {
    return call([e = engine_, cursor] {
      cluster::Rows out;
      for (auto row = e->state.rows.upper_bound(cursor); row != e->state.rows.end() && out.rows.size() < 3;
           ++row)
        out.rows.push_back(row->second);
      if (out.rows.size() == 3) out.cursor = out.rows.back().topic;
      return out;
    });
  }
  Result<bool> claim_seed(const std::string& node) override {
    return call([e = engine_, node] { return e->claim_seed(node); });
  }
  Result<bool> seed(const std::string& node, const std::vector<cluster::Row>& rows) override {
    return call([e = engine_, node, rows] { return e->seed(node, rows); });
  }
  Result<bool> open(const std::string& node, const cluster::Position& at, const std::string& epoch,
                    const std::string& nonce) override {
    return call([e = engine_, node, at, epoch, nonce] { return e->open(e->token, node, at, epoch, nonce); });
  }

 private:
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  static Error away() { return {ErrorCode::kUnavailable, "the engine does not answer", ""}; }

  template <typename Do>
  auto call(const Do& act) -> Result<decltype(act())> {
    between_();
    if (engine_ == nullptr || std::exchange(broken_, false)) return away();
    if (static_cast<int>(pick(100)) >= faults) return act();
    switch (pick(3)) {
      case 0:
        return away();
      case 1:
        static_cast<void>(act());
        return away();
      default:
        late_.push_back([act] { static_cast<void>(act()); });
        return away();
    }
  }

  std::shared_ptr<Engine> engine_;
  bool broken_ = false;
  std::mt19937_64& random_;
  Late& late_;
  const std::function<void()> between_;
};

}  // namespace tickwire::sim
