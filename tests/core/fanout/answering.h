// A plant whose test answers the questions of access by hand. Time stands still unless the test moves it.
#pragma once

#include <string>
#include <utility>

#include "fanout/leases.h"
#include "plant.h"

namespace tickwire {

inline AccessAnswer allow(const AccessQuestion& question, std::int64_t ttl_ms = 0, std::string text = "") {
  return {question.id, Ruling::kAllow, ttl_ms, std::move(text)};
}
inline AccessAnswer deny(const AccessQuestion& question, std::string reason) {
  return {question.id, Ruling::kDeny, 0, std::move(reason)};
}
inline AccessAnswer unavailable(const AccessQuestion& question) {
  return {question.id, Ruling::kUnavailable, 0, "the authorizer failed"};
}

struct Answering : Plant {
  using Plant::Plant;

  // Whatever is due now.
  void run() {
    for (int i = 0; i < 10'000; ++i) {
      if (shard.run() != 0) return;
    }
    FAIL() << "the shard does not come to rest";
  }
  void pass_ms(std::int64_t ms) {
    clock.advance_ms(ms);
    run();
  }
  void answer(const AccessAnswer& given) {
    shard.answer(given);
    run();
  }
  // How many questions came since the last call.
  std::size_t asked() { return access.questions.size() - std::exchange(seen_, access.questions.size()); }
  const AccessQuestion& last() { return access.questions.back(); }
  // Subscribed to, with a lease of so many milliseconds (0: for ever), and what it heard forgotten.
  void admit(Client& client, const std::string& topic, std::int64_t ttl_ms = 0) {
    client.subscribe(topic);
    answer(allow(last(), ttl_ms));
    client.heard();
    asked();
  }

 private:
  std::size_t seen_ = 0;
};

}  // namespace tickwire
