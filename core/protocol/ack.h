// The acks that may be long: of subscribe and unsubscribe, with one result a topic, and of list. They are
// written directly in the session's format; docs/PROTOCOL.md has an example of each. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/encode.h"
#include "protocol/message_writer.h"

namespace tickwire {

// An ack that is written result by result, in pieces where it has many. Counts its Work (base/work.h).
class AckWriter {
 public:
  // `id` is the command's id as it stood in its text, empty when it had none. add() is called `results`
  // times.
  AckWriter(Format format, std::string_view id, std::size_t results);

  void add(const TopicResult& result);
  // How many were added.
  [[nodiscard]] std::size_t count() const { return count_; }
  // The message; once, after the last add().
  std::string finish();

 private:
  void error(const Error& error);

  MessageWriter writer_;
  std::size_t count_ = 0;
};

std::string encode_ack(Format format, std::string_view id, const std::vector<TopicResult>& results);
// `next` is empty where no further page exists.
std::string encode_list(Format format, std::string_view id, const std::vector<std::string_view>& topics,
                        std::string_view next);

}  // namespace tickwire
