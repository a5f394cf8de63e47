#include "fanout/forms.h"

#include "hub/topic.h"
#include "protocol/encode.h"
#include "protocol/transcode.h"

namespace tickwire {
namespace {

TopicMessage message_of(const Update& update) {
  return {.topic = update.topic().name,
          .seq = update.seq(),
          .ts = update.ts(),
          .delivery = update.delivery(),
          .status = update.status(),
          .data = update.data(),
          .halt = update.halt()};
}

}  // namespace

Forms::Forms(const Update& update, Format format)
    : update_(update), format_(format), made_(made(update, format)) {}

const Forms::InFormat& Forms::made(const Update& update, Format format) {
  const Kept& kept = update.forms<Kept>([] { return Kept(); });
  if (format == Format::kJson) return kept.json;
  return kept.binary.get([] { return PerBinaryFormat<InFormat>(); }).in(format);
}

const std::string& Forms::update() const {
  if (update_.status_only()) return status();
  return made_.update.get([&] { return in_format(format_, encode_update(message_of(update_))); });
}

const std::string& Forms::status() const {
  return made_.status.get([&] { return in_format(format_, encode_status(message_of(update_))); });
}

const std::string& Forms::snapshot() const {
  return made_.snapshot.get([&] {
    TopicMessage whole = message_of(update_);
    whole.data = update_.image();
    return in_format(format_, encode_snapshot(whole));
  });
}

const std::string& Forms::standalone_update(Standalone& compressor) const {
  return made_.standalone_update.get([&] { return compressor.compress(update()); });
}

const std::string& Forms::standalone_snapshot(Standalone& compressor) const {
  return made_.standalone_snapshot.get([&] { return compressor.compress(snapshot()); });
}

}  // namespace tickwire
