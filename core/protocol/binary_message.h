// read_binary_message: what a client sent as MessagePack or CBOR, as the JSON text of the same structure, so
// that one parser (command.h) reads commands and one spelling of a payload goes on. Pure; any thread.
//
// Bounded whatever the bytes are: kJsonDepthMax as in text, and kMessageBytesMax of text, which may be longer
// than the bytes it is made from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/format.h"

namespace tickwire {

struct BinaryMessage {
  std::string text;
  // The first value that JSON cannot say (NaN, bytes, a string that is not UTF-8), which the text holds
  // something else for: the rest, as the message's id, can be read all the same.
  std::optional<Error> fault;
};

// kBadMessage: not one map in that format; kTooLarge: its text is.
Result<BinaryMessage> read_binary_message(Format format, std::string_view bytes);

}  // namespace tickwire
