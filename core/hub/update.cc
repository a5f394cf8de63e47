#include "hub/update.h"

#include "hub/topic.h"
#include "protocol/transcode.h"

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
  parts.data = whole.data;
  parts.is_kept = true;
  return std::make_shared<const Update>(std::move(parts));
}

TopicMessage Update::message() const {
  return {topic().name, seq(), ts(), topic().delivery(), status(), data()};
}

const Update::Forms& Update::binary_forms(Format format) const {
  return binary_forms_.get([] { return std::make_unique<const PerBinaryFormat<Forms>>(); })->in(format);
}

const EncodedMessage& Update::update_message(Format format) const {
  if (status_only()) return status_message(format);
  return forms(format).update.get([&] { return in_format(format, encode_update(message())); });
}

const EncodedMessage& Update::status_message(Format format) const {
  return forms(format).status.get([&] { return in_format(format, encode_status(message())); });
}

const EncodedMessage& Update::snapshot_message(Format format) const {
  return forms(format).snapshot.get([&] {
    TopicMessage whole = message();
    whole.data = image();
    return in_format(format, encode_snapshot(whole));
  });
}

const std::string& Update::standalone_update(Format format, Standalone& compressor) const {
  return forms(format).standalone_update.get(
      [&] { return compressor.compress(update_message(format).payload()); });
}

const std::string& Update::standalone_snapshot(Format format, Standalone& compressor) const {
  return forms(format).standalone_snapshot.get(
      [&] { return compressor.compress(snapshot_message(format).payload()); });
}

}  // namespace tickwire
