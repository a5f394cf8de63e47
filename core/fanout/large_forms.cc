#include "fanout/large_forms.h"

#include <utility>

#include "base/fault.h"
#include "base/work.h"
#include "fanout/forms.h"

namespace tickwire {
namespace {

// Runs of the shard in which those who waited have their turn, at least.
constexpr std::uint64_t kRunsKept = 3;

}  // namespace

bool LargeForms::may_be_large(const Session& session, std::size_t bytes) const {
  return session.framing.format != Format::kJson && parts_.config.offload != nullptr &&
         bytes > parts_.config.on_loop_bytes_max;
}

bool LargeForms::update_ready(const Session& session, const Update& update) const {
  return update.status_only() || !may_be_large(session, update.data().size()) ||
         Forms(update, session.framing.format).has_update();
}

bool LargeForms::snapshot_ready(const Session& session, const Update& update) const {
  return !may_be_large(session, update.image().size()) ||
         Forms(update, session.framing.format).has_snapshot();
}

void LargeForms::await_update(Session& session, SubscriptionIndex index, const UpdatePtr& update) {
  await(session, index, update, {update->topic().id, update->seq(), session.framing.format});
}

void LargeForms::await_snapshot(Session& session, SubscriptionIndex index, const UpdatePtr& update) {
  await(session, index, update, {update->topic().id, 0, session.framing.format});
}

UpdatePtr LargeForms::made_update(const Session& session, const TopicState& state, std::uint64_t seq) const {
  return made({state.topic->id, seq, session.framing.format});
}

UpdatePtr LargeForms::made_snapshot(const Session& session, const TopicState& state) const {
  return made({state.topic->id, 0, session.framing.format});
}

UpdatePtr LargeForms::made(const Key& key) const {
  if (making_.empty()) return nullptr;
  const auto found = making_.find(key);
  return found == making_.end() || !found->second.made ? nullptr : found->second.update;
}

void LargeForms::await(Session& session, SubscriptionIndex index, const UpdatePtr& update, const Key& key) {
  const SessionRef ref = parts_.sessions.ref(session);
  const auto [found, is_new] = making_.try_emplace(key);
  Making& making = found->second;
  const bool begins = is_new || making.made;
  if (begins) making = {update, false, {}};
  making.waiters.push_back({ref, index});
  if (!begins) return;
  parts_.config.offload->run(parts_.asker_of(ref), [this, key, update] {
    const bool made = contained(Boundary::kWorker, "the form of an update", [&] {
      const Forms forms(*update, key.format);
      static_cast<void>(key.seq == 0 ? forms.snapshot() : forms.update());
    });
    parts_.post([this, key, update, made] { on_made(key, update, made); });
  });
}

void LargeForms::on_made(const Key& key, const UpdatePtr& update, bool made) {
  Making& making = making_.at(key);
  making.made = true;
  for (const Waiter& waiter : std::exchange(making.waiters, {})) {
    Session* const session = parts_.sessions.find(waiter.session);
    if (session == nullptr || session->state() != SessionState::kOpen) continue;
    if (made) {
      session->owe(waiter.index);
      parts_.dues.send_more(*session);
    } else {
      session->close(CloseCode::kGoingAway, "a fault of the server");
    }
  }
  // One job for all of them: as many jobs as forms would leave no pieces for commands.
  if (made_.empty()) parts_.jobs.add([this](const Budget& budget) { return forget_made(budget); });
  made_.push_back({key, update, parts_.runs});
}

bool LargeForms::forget_made(const Budget& budget) {
  while (!made_.empty() && made_.front().run + kRunsKept <= parts_.runs && !budget.spent()) {
    Work::count();
    const auto found = making_.find(made_.front().key);
    const bool same = found != making_.end() && found->second.update == made_.front().update;
    if (same && found->second.made) making_.erase(found);
    made_.pop_front();
  }
  return made_.empty();
}

}  // namespace tickwire
