// What a client that carries commands by another road than a WebSocket reads of the server's messages: how a
// command was answered. It reads only our own messages as JSON, which encode.h and ack.h write. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/topic_kind.h"

namespace tickwire {

// The type of a message: "ack".
std::string_view message_type(std::string_view payload);
// What an `error` says; nothing: it is no error.
std::optional<Error> read_error(std::string_view payload);

// What a `status` says; nothing: it is no status.
struct StatusOf {
  std::string topic;
  std::uint64_t seq = 0;
  TopicStatus status = TopicStatus::kLive;
};
std::optional<StatusOf> read_status(std::string_view payload);

// What an ack with one result, or an error, says of the command with that id.
struct OneResult {
  std::uint64_t id = 0;  // 0: it has none that is a number
  std::string topic;
  std::uint64_t seq = 0;
  bool duplicate = false;
  std::optional<Error> error;
};
// Nothing: it is neither.
std::optional<OneResult> read_one_result(std::string_view payload);

}  // namespace tickwire
