// The type tickwire.Update: one message about a topic. Made of the server's text, it keeps that text and
// where its data stands, and makes each Python value when somebody asks for it: a reader that looks at
// nothing but the topic pays for nothing else. Made by its constructor, it keeps what it was given.
//
// A plain C type, because a client makes one for each message. Only with the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <string_view>

#include "client/message_head.h"

namespace tickwire {

// A new Update of a message that read_head took and whose data scan_object took. `topic` is a str; `decode`
// turns the text of data into a dict, null: the module's own (set_decode). Null with an exception set.
PyObject* new_update(std::string_view text, const MessageHead& head, PyObject* topic, PyObject* decode);

}  // namespace tickwire
