#include "hub/update.h"

#include "hub/topic.h"

namespace tickwire {

Update::Update(Parts parts) : parts_(std::move(parts)) {}

Update::~Update() {
  for (const auto& form : forms_) delete form.load(std::memory_order_relaxed);
}

EncodedMessage Update::encode(Form which) const {
  TopicMessage message{topic().name, seq(), ts(), status(), data()};
  if (which == kUpdateForm) return encode_update(message);
  if (which == kStatusForm) return encode_status(message);
  message.data = image();
  return encode_snapshot(message);
}

const EncodedMessage& Update::form(Form which) const {
  std::atomic<const EncodedMessage*>& slot = forms_.at(which);
  if (const EncodedMessage* made = slot.load(std::memory_order_acquire)) return *made;
  auto mine = std::make_unique<const EncodedMessage>(encode(which));
  // Two shards may make it at the same time; the first one's stays.
  const EncodedMessage* current = nullptr;
  if (slot.compare_exchange_strong(current, mine.get(), std::memory_order_acq_rel)) return *mine.release();
  return *current;
}

}  // namespace tickwire
