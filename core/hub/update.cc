#include "hub/update.h"

#include "hub/topic.h"

namespace tickwire {

Update::Update(Parts parts) : parts_(std::move(parts)) {}

Update::~Update() {
  for (const auto& form : forms_) delete form.load(std::memory_order_relaxed);
}

const EncodedMessage& Update::update_message() const {
  return form(kUpdateForm);
}
const EncodedMessage& Update::snapshot_message() const {
  return form(kSnapshotForm);
}

const EncodedMessage& Update::form(Form which) const {
  std::atomic<const EncodedMessage*>& slot = forms_.at(which);
  if (const EncodedMessage* made = slot.load(std::memory_order_acquire)) return *made;
  TopicMessage message{topic().name, seq(), ts(), status(), data()};
  std::unique_ptr<const EncodedMessage> mine;
  if (which == kSnapshotForm) {
    message.data = image();
    mine = std::make_unique<const EncodedMessage>(encode_snapshot(message));
  } else {
    mine = std::make_unique<const EncodedMessage>(status_only() ? encode_status(message)
                                                                : encode_update(message));
  }
  // Two shards may make it at the same time; the first one's stays.
  const EncodedMessage* current = nullptr;
  if (slot.compare_exchange_strong(current, mine.get(), std::memory_order_acq_rel)) return *mine.release();
  return *current;
}

}  // namespace tickwire
