#include "hub/update.h"

namespace tickwire {

UpdatePtr Update::kept(const UpdatePtr& update) {
  constexpr std::size_t kImageBytesKept = 4'096;
  const Parts& whole = update->parts_;
  if (whole.image.size() <= kImageBytesKept) return update;
  Parts parts;
  parts.topic = whole.topic;
  parts.revision = whole.revision;
  parts.seq = whole.seq;
  parts.ts = whole.ts;
  parts.status = whole.status;
  parts.delivery = whole.delivery;
  parts.data = whole.data;
  parts.is_kept = true;
  return std::make_shared<const Update>(std::move(parts));
}

UpdatePtr Update::delivered(const Update& update, Delivery delivery) {
  Parts parts = update.parts_;
  parts.delivery = delivery;
  return std::make_shared<const Update>(std::move(parts));
}

}  // namespace tickwire
