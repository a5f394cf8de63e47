#include "hub/publisher.h"

#include <vector>

#include "model/json_object.h"
#include "model/topic_name.h"

namespace tickwire {

Publisher::Outcome Publisher::publish(std::string_view topic, std::string_view data, FeedId feed,
                                      const Done& done) {
  const Result<ImageView> scanned = scan_payload(topic, data);
  if (scanned) return publish(topic, *scanned, feed, done);
  Outcome refused = scanned.error();
  if (done) done(refused);
  return refused;
}

Result<ImageView> scan_payload(std::string_view topic, std::string_view data) {
  thread_local std::vector<JsonField> fields;
  if (const Status scanned = scan_object(data, fields); !scanned) return topic_or(topic, scanned.error());
  return ImageView{data, fields};
}

Error nothing_published(std::string_view topic) {
  return {ErrorCode::kUnknownTopic, "topic: nothing was published to " + std::string(topic) + " yet",
          "topic"};
}

Error topic_or(std::string_view topic, const Error& data) {
  const Status valid = check_topic(topic);
  return valid ? data : valid.error();
}

}  // namespace tickwire
