#include "hub/update.h"

#include "hub/topic.h"
#include "protocol/transcode.h"

namespace tickwire {

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
