// The acks that may be long: of subscribe and unsubscribe, with one result a topic, of list and of get. They
// are written directly in the session's format; docs/PROTOCOL.md has an example of each. Pure; any thread.
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
  MessageWriter writer_;
  std::size_t count_ = 0;
};

// What get answers, written topic by topic: the ack of the command, or the body of an answer over HTTP, which
// has neither type nor id, and a `next` that is null where no further page exists. Counts its Work.
class SnapshotsWriter {
 public:
  // add() is called `results` times. `next` is empty where no further page exists.
  SnapshotsWriter(Format format, std::string_view id, std::string_view epoch, std::size_t results,
                  std::string_view next);
  struct Body {};
  SnapshotsWriter(Body body, std::string_view epoch, std::size_t results, std::string_view next);

  // The state of a topic, with its image as `data`.
  void add(const TopicMessage& state);
  void add(std::string_view topic, const Error& error);
  // How many were added.
  [[nodiscard]] std::size_t count() const { return count_; }
  // Once, after the last add().
  std::string finish();

 private:
  MessageWriter writer_;
  const std::string next_;
  const bool body_;
  std::size_t count_ = 0;
};

std::string encode_ack(Format format, std::string_view id, const std::vector<TopicResult>& results);
// `next` is empty where no further page exists.
std::string encode_list(Format format, std::string_view id, const std::vector<std::string_view>& topics,
                        std::string_view next);

}  // namespace tickwire
