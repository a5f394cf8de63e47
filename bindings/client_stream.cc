#include "bindings/client_stream.h"

#include "bindings/errors.h"
#include "bindings/update_type.h"

namespace tickwire {

namespace py = pybind11;

ClientStream::ClientStream(const py::object& topics, const MessageReader::Config& config,
                           const py::object& decode)
    : topics_owner_(topics),
      topics_(topics.cast<PyTopics&>()),
      reader_(config),
      decode_(decode.is_none() ? py::object() : decode) {}

py::memoryview ClientStream::room() {
  const std::span<char> room = reader_.room();
  return py::memoryview::from_memory(room.data(), static_cast<py::ssize_t>(room.size()));
}

py::object ClientStream::next() {
  using Found = MessageReader::Found;
  while (true) {
    const Result<Found> found = reader_.next();
    if (!found) throw_error({ErrorCode::kBadMessage, found.error().message, ""});
    switch (*found) {
      case Found::kNothing:
        return py::none();
      case Found::kBinary:
        throw_error({ErrorCode::kBadMessage, "a binary message of the server", ""});
      case Found::kControl:
      case Found::kForeign:
        return py::bytes(reader_.bytes().data(), reader_.bytes().size());
      case Found::kText:
        break;
    }
    const std::string_view text = reader_.text();
    MessageHead head;
    std::uint64_t seq_before = 0;
    const ClientTopic* topic =
        read_head(text, head) ? topics_.topics().go_on(text, head, seq_before) : nullptr;
    if (topic == nullptr) {
      PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "strict");
      if (decoded == nullptr) {
        PyErr_Clear();
        throw_error({ErrorCode::kBadMessage, "a message of the server that is not UTF-8", ""});
      }
      return py::reinterpret_steal<py::object>(decoded);
    }
    if (deliver(*topic, head, seq_before)) return py::bool_(false);
  }
}

bool ClientStream::deliver(const ClientTopic& topic, const MessageHead& head, std::uint64_t seq_before) {
  ++updates;
  bool stop = stop_each;
  PyObject* update = nullptr;
  for (UpdateRing* ring : topics_.rings_of(topic)) {
    if (!ring->keeps()) continue;
    if (update == nullptr) {
      update = new_update(reader_.text(), head, topics_.name_of(topic), decode_.ptr());
      if (update == nullptr) throw py::error_already_set();
    }
    ring->append(update, seq_before + 1);
    if (!ring->touched) {
      ring->touched = true;
      touched_.push_back(topics_.owner_of(topic, ring));
    }
    stop = stop || ring->is_full();
  }
  Py_XDECREF(update);
  return stop;
}

py::list ClientStream::take_touched() {
  py::list touched(touched_.size());
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    touched_[i].cast<UpdateRing&>().touched = false;
    touched[i] = std::move(touched_[i]);
  }
  touched_.clear();
  return touched;
}

}  // namespace tickwire
