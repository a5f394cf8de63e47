// What comes to the hub from elsewhere: from the store, or from the other servers of a cluster.
#include <utility>
#include <vector>

#include "hub/hub.h"
#include "model/json_object.h"

namespace tickwire {
namespace {

Status check_stored(const StoredTopic& stored) {
  if (Status valid = check_topic(stored.topic); !valid) return valid.error();
  std::vector<JsonField> fields;
  return scan_object(stored.image, fields, kImageLimits);
}

}  // namespace

Status Hub::restore(StoredTopic stored) {
  if (Status valid = check_stored(stored); !valid) return valid;
  if (stored.declared) directory_.declare(stored.topic, *stored.declared);
  const std::string name = stored.topic;
  directory_.with_topic(name, [&stored](Topic& topic) { topic.restore(std::move(stored)); });
  return ok_status();
}

void Hub::restore_ring(std::string_view name, std::vector<StoredEvent> events) {
  if (Topic* const topic = directory_.find_kept(name)) topic->restore_ring(std::move(events));
}

Result<UpdatePtr> Hub::apply(std::string_view name, ImageView data, FeedId feed, std::int64_t ts,
                             Delivery delivery) {
  const Origin origin{feed, ts, commons_.clock.steady_us(), delivery};
  if (Topic* const topic = directory_.find_kept(name)) return topic->publish(data, origin);
  if (Status status = check_topic(name); !status) return status.error();
  return directory_.with_topic(name, [&](Topic& topic) { return topic.publish(data, origin); });
}

Status Hub::adopt(AdoptedTopic adopted) {
  if (Status valid = check_stored(adopted.topic); !valid) return valid;
  const std::string name = adopted.topic.topic;
  directory_.with_topic(name, [&adopted](Topic& topic) { topic.adopt(std::move(adopted)); });
  return ok_status();
}

void Hub::suspend(bool suspended) {
  directory_.each_topic([suspended](Topic& topic) { topic.suspend(suspended); });
}

void Hub::forget_updates() {
  directory_.each_topic([](Topic& topic) { topic.forget_updates(); });
  const MutexLock lock(epoch_mutex_);
  epoch_.clear();
  last_epoch_.clear();
}

}  // namespace tickwire
