#include "fanout/access_desk.h"

#include <utility>
#include <vector>

namespace tickwire {

void AccessDesk::ask(Action action, std::string_view topic, const Session& session, OnAnswer on_answer) {
  const std::uint64_t id = (std::uint64_t{parts_.config.index} << 48U) | next_id_++;
  const std::int64_t deadline = parts_.clock.steady_us() + parts_.config.access_deadline_ms * 1000;
  open_.emplace(id, Open{deadline, std::move(on_answer)});
  parts_.access.ask({id, parts_.config.index, action, std::string(topic), session.client});
}

void AccessDesk::answer(const AccessAnswer& answer) {
  const auto found = open_.find(answer.id);
  if (found == open_.end()) return;
  const OnAnswer on_answer = std::move(found->second.on_answer);
  open_.erase(found);
  on_answer(answer);
}

void AccessDesk::expire() {
  std::vector<std::uint64_t> late;
  for (const auto& [id, open] : open_) {
    if (open.deadline_us <= parts_.clock.steady_us()) late.push_back(id);
  }
  for (const std::uint64_t id : late) {
    answer({id, false, 0, "no answer within " + std::to_string(parts_.config.access_deadline_ms) + " ms"});
  }
}

}  // namespace tickwire
