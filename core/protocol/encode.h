// The server's messages as JSON text; transcode.h makes the binary formats of them, and ack.h the acks that
// may be long. How a message is framed on its way is session/framing.h's. Pure; any thread. docs/PROTOCOL.md
// has an example of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/halt.h"
#include "model/topic_kind.h"
#include "protocol/codes.h"

namespace tickwire {

struct TopicMessage {
  std::string_view topic;
  std::uint64_t seq = 0;
  std::int64_t ts = 0;
  Delivery delivery = Delivery::kValue;
  TopicStatus status = TopicStatus::kLive;
  std::string_view data;       // a JSON object
  const Halt* halt = nullptr;  // an operator's, where the status is halted by one
};
std::string encode_update(const TopicMessage& message);    // without status
std::string encode_snapshot(const TopicMessage& message);  // with all of it
std::string encode_status(const TopicMessage& message);    // without data

// One topic's answer in an ack.
struct TopicResult {
  std::string topic;
  std::optional<std::uint64_t> seq;
  std::optional<Error> error;
  std::optional<bool> recovered = {};        // of one that was resumed
  std::optional<std::uint64_t> missed = {};  // updates; absent where nobody knows
  bool partial = false;                      // a pattern of which the client may see only a part
  bool duplicate = false;                    // it was published before, under the same name
};

// `,"reason":...` and `,"until":...` of a halt, behind a status; null: nothing.
void append_halt(std::string& text, const Halt* halt);

// `id` is the command's id as it stood in its text ("7" or "\"a\""), empty when it had none.
std::string encode_welcome(std::string_view session, std::string_view epoch, int heartbeat_s,
                           std::string_view server, std::int64_t ts);
std::string encode_epoch(std::string_view epoch, std::int64_t ts);
// Not `judged`: no authenticator is there to judge it, and never will be.
std::string encode_auth_ack(std::string_view id, bool judged);
std::string encode_pong(std::string_view id, std::int64_t ts);
std::string encode_error(std::string_view id, const Error& error, std::string_view topic = {});
// The fields of an error as JSON, without braces.
void append_error_fields(std::string& text, const Error& error);
std::string encode_gap(std::string_view topic, std::uint64_t from, std::uint64_t to);
std::string encode_heartbeat(std::int64_t ts);
// What the close frame of a WebSocket says, for a carrier that has none.
std::string encode_close(CloseCode code, std::string_view reason);
std::string encode_drain(int reconnect_after_ms);

// The text as a JSON string with its quotes.
std::string quote_json(std::string_view text);

}  // namespace tickwire
