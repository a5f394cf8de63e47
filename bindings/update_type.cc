#include "bindings/update_type.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "bindings/register.h"
#include "model/json_object.h"

namespace tickwire {

namespace py = pybind11;

namespace {

enum Field : std::uint8_t {
  kKind,
  kTopic,
  kSeq,
  kTs,
  kStatus,
  kData,
  kRaw,
  kMissed,
  kDelivery,
  kText,
  kRecovered,
  kFieldCount
};  // the order of the constructor's arguments

constexpr std::array<const char*, kFieldCount> kNames = {
    "kind", "topic", "seq", "ts", "status", "data", "raw", "missed", "delivery", "text", "recovered"};

struct UpdateObject {
  PyObject_VAR_HEAD       // ob_size: bytes of text
      PyObject** fields;  // what the constructor was given, kFieldCount of them; null: made of text
  PyObject* topic;        // the rest: of an Update made of text
  PyObject* decode;       // null: the module's
  PyObject* data;         // once it was asked for
  std::uint64_t seq;
  std::int64_t ts;
  std::uint32_t data_at;
  std::uint32_t data_size;
  std::uint32_t status_size;  // it stands right before the data
  bool is_snapshot;
  bool is_event;
  char text[1];
};

struct Words {
  PyObject* snapshot;
  PyObject* update;
  PyObject* gap;
  PyObject* event;
  PyObject* live;
  PyObject* empty;
};

// They belong to the process, as the type does: a module of an extension is never unloaded.
PyTypeObject* update_type = nullptr;
PyObject* decode_default = nullptr;
Words words;

UpdateObject* update_of(PyObject* self) {
  return reinterpret_cast<UpdateObject*>(self);
}

PyObject* text_of(const UpdateObject* update, std::size_t at, std::size_t size) {
  return PyUnicode_DecodeUTF8(update->text + at, static_cast<Py_ssize_t>(size), "strict");
}

PyObject* status_of(const UpdateObject* update) {
  if (!update->is_snapshot) return Py_NewRef(Py_None);
  constexpr std::size_t kBetween = 9;  // ","data":
  const std::size_t at = update->data_at - kBetween - update->status_size;
  if (std::string_view(update->text + at, update->status_size) == "live") return Py_NewRef(words.live);
  return text_of(update, at, update->status_size);
}

PyObject* data_of(UpdateObject* update) {
  if (update->data == nullptr) {
    PyObject* text = text_of(update, update->data_at, update->data_size);
    if (text == nullptr) return nullptr;
    PyObject* decode = update->decode != nullptr ? update->decode : decode_default;
    update->data = PyObject_CallOneArg(decode, text);
    Py_DECREF(text);
    if (update->data == nullptr) return nullptr;
  }
  return Py_NewRef(update->data);
}

// A new reference; null with an exception set.
PyObject* value_of(PyObject* self, Field field) {
  UpdateObject* update = update_of(self);
  if (update->fields != nullptr) return Py_NewRef(update->fields[field]);
  switch (field) {
    case kKind:
      return Py_NewRef(update->is_snapshot ? words.snapshot : words.update);
    case kTopic:
      return Py_NewRef(update->topic);
    case kSeq:
      return PyLong_FromUnsignedLongLong(update->seq);
    case kTs:
      return PyLong_FromLongLong(update->ts);
    case kStatus:
      return status_of(update);
    case kData:
      return data_of(update);
    case kRaw:
      return text_of(update, update->data_at, update->data_size);
    case kDelivery:
      return Py_NewRef(update->is_event ? words.event : Py_None);
    case kText:
      return text_of(update, 0, static_cast<std::size_t>(Py_SIZE(self)));
    default:
      return Py_NewRef(Py_None);
  }
}

PyObject* get_field(PyObject* self, void* field) {
  return value_of(self, static_cast<Field>(reinterpret_cast<std::uintptr_t>(field)));
}

bool is_kind(PyObject* self, PyObject* kind) {
  PyObject* own = value_of(self, kKind);
  const int same = PyObject_RichCompareBool(own, kind, Py_EQ);
  Py_DECREF(own);
  return same == 1;
}

// What `make` returns; an exception of pybind11 becomes one of Python.
template <typename Make>
PyObject* guarded(const Make& make) {
  try {
    return make().release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
    return nullptr;
  }
}

PyObject* first_seq(PyObject* self, void* /*unused*/) {
  const auto* update = update_of(self);
  if (update->fields == nullptr || !is_kind(self, words.gap)) return value_of(self, kSeq);
  return guarded([&]() -> py::object {
    const auto seq = py::reinterpret_borrow<py::object>(update->fields[kSeq]);
    const auto missed = py::reinterpret_borrow<py::object>(update->fields[kMissed]);
    return py::bool_(missed) ? py::object(seq - missed + py::int_(1)) : seq;
  });
}

PyObject* halt_of(PyObject* self, void* /*unused*/) {
  return guarded([&]() -> py::object {
    const auto text = py::reinterpret_steal<py::object>(value_of(self, kText));
    if (!text) throw py::error_already_set();
    const auto whole = py::cast<std::string_view>(text);
    const std::size_t data = whole.find(",\"data\":");
    const std::string_view head = whole.substr(0, data);
    if (head.find("\"reason\":") == std::string_view::npos) return py::none();
    const char* const end = data == std::string_view::npos ? "" : "}";
    const py::object message = py::module_::import("json").attr("loads")(std::string(head) + end);
    const py::object reason = message.attr("get")("reason");
    return reason.is_none() ? reason : py::make_tuple(reason, message.attr("get")("until"));
  });
}

PyObject* update_new(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  std::array<PyObject*, kFieldCount> given{};
  std::vector<char*> names;
  names.reserve(kNames.size() + 1);
  for (const char* name : kNames) names.push_back(const_cast<char*>(name));
  names.push_back(nullptr);
  auto& g = given;
  if (PyArg_ParseTupleAndKeywords(args, keywords, "OOO|OOOOOOOO:Update", names.data(), &g[kKind], &g[kTopic],
                                  &g[kSeq], &g[kTs], &g[kStatus], &g[kData], &g[kRaw], &g[kMissed],
                                  &g[kDelivery], &g[kText], &g[kRecovered]) == 0) {
    return nullptr;
  }
  auto* update = update_of(type->tp_alloc(type, 0));
  if (update == nullptr) return nullptr;
  update->fields = static_cast<PyObject**>(PyMem_Calloc(kFieldCount, sizeof(PyObject*)));
  if (update->fields == nullptr) {
    Py_DECREF(update);
    return PyErr_NoMemory();
  }
  for (std::size_t i = 0; i < kFieldCount; ++i) update->fields[i] = Py_NewRef(given[i] ? given[i] : Py_None);
  const auto or_else = [&](Field field, PyObject* value) {
    if (given[field] == nullptr) Py_SETREF(update->fields[field], value);
  };
  or_else(kTs, PyLong_FromLong(0));
  or_else(kData, PyDict_New());
  or_else(kRaw, Py_NewRef(words.empty));
  or_else(kText, Py_NewRef(words.empty));
  return reinterpret_cast<PyObject*>(update);
}

void update_dealloc(PyObject* self) {
  UpdateObject* update = update_of(self);
  if (update->fields != nullptr) {
    for (std::size_t i = 0; i < kFieldCount; ++i) Py_XDECREF(update->fields[i]);
    PyMem_Free(static_cast<void*>(update->fields));
  }
  Py_XDECREF(update->topic);
  Py_XDECREF(update->decode);
  Py_XDECREF(update->data);
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// The values as a tuple, without `left_out`; null with an exception set.
PyObject* values_of(PyObject* self, std::uint32_t left_out = kFieldCount) {
  PyObject* values = PyTuple_New(kFieldCount - static_cast<Py_ssize_t>(left_out != kFieldCount));
  if (values == nullptr) return nullptr;
  Py_ssize_t at = 0;
  for (std::uint32_t i = 0; i < kFieldCount; ++i) {
    if (i == left_out) continue;
    PyObject* value = value_of(self, static_cast<Field>(i));
    if (value == nullptr) {
      Py_DECREF(values);
      return nullptr;
    }
    PyTuple_SET_ITEM(values, at++, value);
  }
  return values;
}

PyObject* update_compare(PyObject* one, PyObject* other, int op) {
  if ((op != Py_EQ && op != Py_NE) || Py_TYPE(one) != Py_TYPE(other)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* left = values_of(one);
  PyObject* right = left == nullptr ? nullptr : values_of(other);
  PyObject* result = right == nullptr ? nullptr : PyObject_RichCompare(left, right, op);
  Py_XDECREF(left);
  Py_XDECREF(right);
  return result;
}

Py_hash_t update_hash(PyObject* self) {
  PyObject* values = values_of(self, kData);
  const Py_hash_t hash = values == nullptr ? -1 : PyObject_Hash(values);
  Py_XDECREF(values);
  return hash;
}

PyObject* update_repr(PyObject* self) {
  PyObject* values = values_of(self, kText);
  if (values == nullptr) return nullptr;
  const auto owned = py::reinterpret_steal<py::tuple>(values);
  return guarded([&]() -> py::object {
    std::string text = "Update(";
    Py_ssize_t at = 0;
    for (std::uint32_t i = 0; i < kFieldCount; ++i) {
      if (i == kText) continue;
      text += (at == 0 ? "" : ", ") + std::string(kNames.at(i)) + "=";
      text += py::cast<std::string>(py::repr(PyTuple_GET_ITEM(owned.ptr(), at++)));
    }
    return py::str(text + ")");
  });
}

PyObject* update_reduce(PyObject* self, PyObject* /*unused*/) {
  PyObject* values = values_of(self);
  if (values == nullptr) return nullptr;
  return Py_BuildValue("(ON)", Py_TYPE(self), values);
}

void* closure(Field field) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(field));  // NOLINT(performance-no-int-to-ptr)
}

constexpr const char* kDoc =
    "One message about a topic. Its values are shared with `Client.images`: do not change them.\n\n"
    "`data`, `raw` and `text` are made of the server's bytes when they are asked for.";

PyGetSetDef getters[] = {
    {"kind", get_field, nullptr,
     "``snapshot`` replaces what you know of the topic. ``update`` merges into it (value topics) or follows "
     "it "
     "(event topics). ``status`` changes its health. ``gap`` says which messages you will not get. "
     "``resumed`` "
     "says how a topic or pattern continues after a lost connection.",
     closure(kKind)},
    {"topic", get_field, nullptr, "The topic's name; in a ``resumed`` it may be a pattern.", closure(kTopic)},
    {"seq", get_field, nullptr,
     "The topic's sequence number, one higher with each update; a jump at a snapshot is the number of "
     "conflated "
     "updates.",
     closure(kSeq)},
    {"ts", get_field, nullptr, "The server's Unix time in milliseconds; 0 in a gap, which has none.",
     closure(kTs)},
    {"status", get_field, nullptr,
     "``live``, ``stale``, ``halted`` or ``closed`` in a snapshot or a status, else None.", closure(kStatus)},
    {"data", get_field, nullptr, "What was published, decoded; empty in a status or a gap.", closure(kData)},
    {"raw", get_field, nullptr, "The JSON text of `data`, byte for byte as it was published.", closure(kRaw)},
    {"missed", get_field, nullptr,
     "In a gap: how many messages up to `seq` are gone. In a resumed: how many updates there were meanwhile, "
     "or "
     "None if nobody knows.",
     closure(kMissed)},
    {"delivery", get_field, nullptr, "``event`` in messages of event topics, else None.", closure(kDelivery)},
    {"text", get_field, nullptr, "The whole message as the server sent it.", closure(kText)},
    {"recovered", get_field, nullptr,
     "In a resumed: whether every missed update follows. If not, a snapshot or a gap follows, if there is "
     "data.",
     closure(kRecovered)},
    {"first_seq", first_seq, nullptr,
     "In a gap the sequence number of the first message that is gone, else `seq`.", nullptr},
    {"halt", halt_of, nullptr,
     "Why an operator halts the topic, and until when in Unix milliseconds (or None); None: none does.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMethodDef methods[] = {{"__reduce__", update_reduce, METH_NOARGS, "For pickle and copy."},
                         {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(update_new)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(update_dealloc)},
                       {Py_tp_richcompare, reinterpret_cast<void*>(update_compare)},
                       {Py_tp_hash, reinterpret_cast<void*>(update_hash)},
                       {Py_tp_repr, reinterpret_cast<void*>(update_repr)},
                       {Py_tp_getset, getters},
                       {Py_tp_methods, methods},
                       {Py_tp_doc, const_cast<char*>(kDoc)},
                       {0, nullptr}};

PyType_Spec spec = {"tickwire.update.Update", static_cast<int>(offsetof(UpdateObject, text)), 1,
                    Py_TPFLAGS_DEFAULT, slots};

// An Update of a message in tickwire's own spelling; None for any other, which somebody else must read.
py::object recognise(const py::str& text, const py::object& decode) {
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (bytes == nullptr) {  // half a surrogate pair
    PyErr_Clear();
    return py::none();
  }
  const std::string_view view(bytes, static_cast<std::size_t>(size));
  MessageHead head;
  thread_local std::vector<JsonField> fields;
  if (!read_head(view, head) ||
      !scan_object(view.substr(head.data_at, head.data_size), fields, kImageLimits)) {
    return py::none();
  }
  const auto topic = py::str(head.topic.data(), head.topic.size());
  PyObject* update = new_update(view, head, topic.ptr(), decode.is_none() ? nullptr : decode.ptr());
  if (update == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(update);
}

}  // namespace

PyObject* new_update(std::string_view text, const MessageHead& head, PyObject* topic, PyObject* decode) {
  PyObject* self = update_type->tp_alloc(update_type, static_cast<Py_ssize_t>(text.size()));
  if (self == nullptr) return nullptr;
  UpdateObject* update = update_of(self);
  update->topic = Py_NewRef(topic);
  update->decode = Py_XNewRef(decode);
  update->seq = head.seq;
  update->ts = head.ts;
  update->data_at = static_cast<std::uint32_t>(head.data_at);
  update->data_size = static_cast<std::uint32_t>(head.data_size);
  update->status_size = static_cast<std::uint32_t>(head.status.size());
  update->is_snapshot = head.is_snapshot;
  update->is_event = head.is_event;
  std::memcpy(update->text, text.data(), text.size());
  return self;
}

void register_update(py::module_& module) {
  if (update_type == nullptr) {
    const auto word = [](const char* text) { return PyUnicode_InternFromString(text); };
    words = {word("snapshot"), word("update"), word("gap"), word("event"), word("live"), word("")};
    update_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
    if (update_type == nullptr) throw py::error_already_set();
    py::tuple names(static_cast<py::size_t>(kFieldCount));
    for (std::size_t i = 0; i < kFieldCount; ++i) names[i] = py::str(kNames.at(i));
    py::handle(reinterpret_cast<PyObject*>(update_type)).attr("__match_args__") = names;
  }
  module.attr("Update") = py::handle(reinterpret_cast<PyObject*>(update_type));
  module.def("recognise", &recognise, py::arg("text"), py::arg("decode") = py::none(),
             "An Update of a message in the server's own spelling; None: any other text.");
  module.def(
      "set_decode",
      [](const py::object& decode) {
        Py_XDECREF(decode_default);
        decode_default = decode.inc_ref().ptr();
      },
      py::arg("decode"), "How an Update makes `data` of its text, where its client says nothing else.");
}

}  // namespace tickwire
