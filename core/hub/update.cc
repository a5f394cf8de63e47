#include "hub/update.h"

#include "hub/topic.h"

namespace tickwire {

TopicMessage Update::message() const {
  return {topic().name, seq(), ts(), topic().delivery(), status(), data()};
}

const EncodedMessage& Update::update_message() const {
  if (status_only()) return status_message();
  return update_form_.get([&] { return encode_update(message()); });
}

const EncodedMessage& Update::status_message() const {
  return status_form_.get([&] { return encode_status(message()); });
}

const EncodedMessage& Update::snapshot_message() const {
  return snapshot_form_.get([&] {
    TopicMessage whole = message();
    whole.data = image();
    return encode_snapshot(whole);
  });
}

const std::string& Update::standalone_update(Standalone& compressor) const {
  return standalone_update_.get([&] { return compressor.compress(update_message().text()); });
}

const std::string& Update::standalone_snapshot(Standalone& compressor) const {
  return standalone_snapshot_.get([&] { return compressor.compress(snapshot_message().text()); });
}

}  // namespace tickwire
