#include <pybind11/stl.h>

#include <algorithm>
#include <tuple>

#include "bindings/client_stream.h"
#include "bindings/errors.h"
#include "bindings/register.h"
#include "bindings/update_type.h"
#include "client/number_text.h"

namespace tickwire {

namespace py = pybind11;

std::optional<PyTopics::State> PyTopics::find(const std::string& name) const {
  const ClientTopic* topic = topics_.find(name);
  if (topic == nullptr) return std::nullopt;
  return State{topic->seq, topic->synced, topic->event, topics_.status_name(topic->said)};
}

StatusNumber PyTopics::status_number(const std::string& status) {
  const StatusNumber number = topics_.status_number(status);
  if (number == kNoStatus) {
    throw_error({ErrorCode::kBadMessage,
                 "status: more than " + std::to_string(kStatusesMax) + " different ones", "status"});
  }
  return number;
}

void PyTopics::put(const py::str& name, const State& state) {
  ClientTopic& topic = topics_.change(name.cast<std::string>());
  if (topic.number >= names_.size()) names_.resize(topic.number + 1);
  if (!names_[topic.number]) names_[topic.number] = name;
  const auto& [seq, synced, event, said] = state;
  topic.seq = seq;
  topic.synced = synced;
  topic.event = event;
  topic.said = status_number(said);
}

bool PyTopics::forget(const std::string& name) {
  const ClientTopic* topic = topics_.find(name);
  if (topic == nullptr) return false;
  if (topic->number < names_.size()) names_[topic->number] = py::object();
  return topics_.forget(name);
}

PyObject* PyTopics::name_of(const ClientTopic& topic) {
  if (topic.number >= names_.size()) names_.resize(topic.number + 1);
  py::object& name = names_[topic.number];
  if (!name) name = py::str(topic.name.view().data(), topic.name.view().size());
  return name.ptr();
}

py::list PyTopics::names() {
  py::list names;
  topics_.each([&](const ClientTopic& topic) { names.append(py::handle(name_of(topic))); });
  return names;
}

void PyTopics::show(const std::string& name, const std::optional<std::string>& status) {
  ClientTopic& topic = topics_.change(name);
  topic.shown = status ? status_number(*status) : kNoStatus;
}

std::optional<std::string> PyTopics::shown(const std::string& name) const {
  const ClientTopic* topic = topics_.find(name);
  if (topic == nullptr || topic->shown == kNoStatus) return std::nullopt;
  return topics_.status_name(topic->shown);
}

py::list PyTopics::names_shown() {
  py::list names;
  topics_.each([&](const ClientTopic& topic) {
    if (topic.shown != kNoStatus) names.append(py::handle(name_of(topic)));
  });
  return names;
}

bool PyTopics::replace_image(const std::string& name, std::string_view data) {
  return topics_.replace_image(topics_.change(name), data);
}

bool PyTopics::merge_image(const std::string& name, std::string_view data) {
  return topics_.merge_image(topics_.change(name), data);
}

void PyTopics::move_image_out(const std::string& name) {
  topics_.move_image_out(topics_.change(name));
}

std::uint64_t PyTopics::image_version(const std::string& name) const {
  const ClientTopic* topic = topics_.find(name);
  return topic == nullptr ? 0 : topic->image_version;
}

std::optional<std::string> PyTopics::image(const std::string& name) const {
  const ClientTopic* topic = topics_.find(name);
  if (topic != nullptr && topic->image_elsewhere) return std::nullopt;
  return std::string(topic == nullptr || topic->image.empty() ? "{}" : topic->image.view());
}

py::list PyTopics::names_with_image() {
  py::list names;
  topics_.each([&](const ClientTopic& topic) {
    if (topic.image_version != 0) names.append(py::handle(name_of(topic)));
  });
  return names;
}

py::list PyTopics::take_changed() {
  py::list names;
  topics_.take_changed([&](const ClientTopic& topic) { names.append(py::handle(name_of(topic))); });
  return names;
}

std::uint32_t PyTopics::route(const py::list& rings) {
  Route route{{}, rings};
  for (const py::handle ring : rings) route.rings.push_back(&ring.cast<UpdateRing&>());
  routes_.push_back(std::move(route));
  return static_cast<std::uint32_t>(routes_.size() - 1);
}

void PyTopics::arm(const std::string& name, std::uint32_t route) {
  const ClientTopic* known = topics_.find(name);
  if (known == nullptr || !known->synced || known->image_elsewhere || known->image_version == 0) return;
  if (route >= routes_.size()) throw py::index_error("there is no such route");
  topics_.arm(topics_.change(name), route);
}

void PyTopics::forget_routes() {
  topics_.disarm_all();
  routes_.clear();
}

py::object PyTopics::owner_of(const ClientTopic& topic, const UpdateRing* ring) const {
  const Route& route = routes_[topic.route];
  const auto at = std::ranges::find(route.rings, ring) - route.rings.begin();
  return route.owners[static_cast<std::size_t>(at)];
}

void register_client(py::module_& module) {
  py::class_<PyTopics>(module, "ClientTopics", "All topics that a client knows: seq, status and image.")
      .def(py::init<>())
      .def("__contains__", &PyTopics::contains, py::arg("name"))
      .def("__len__", &PyTopics::size)
      .def("names", &PyTopics::names)
      .def("find", &PyTopics::find, py::arg("name"), "(seq, synced, event, status said), or None.")
      .def("put", &PyTopics::put, py::arg("name"), py::arg("state"))
      .def("forget", &PyTopics::forget, py::arg("name"))
      .def("note_status", &PyTopics::status_number, py::arg("status"),
           "Raises ProtocolError if it is one more than a server may have.")
      .def("show", &PyTopics::show, py::arg("name"), py::arg("status"))
      .def("shown", &PyTopics::shown, py::arg("name"))
      .def("names_shown", &PyTopics::names_shown)
      .def("replace_image", &PyTopics::replace_image, py::arg("name"), py::arg("data"),
           "False: nothing that the core's scanner takes; nothing changed.")
      .def("merge_image", &PyTopics::merge_image, py::arg("name"), py::arg("data"), "As replace_image.")
      .def("move_image_out", &PyTopics::move_image_out, py::arg("name"), "From here on the caller keeps it.")
      .def("image_version", &PyTopics::image_version, py::arg("name"), "Changes with the image; 0: none.")
      .def("image", &PyTopics::image, py::arg("name"), "None: the caller keeps it.")
      .def("field", &PyTopics::field, py::arg("name"), py::arg("field"), "JSON text, or None.")
      .def("names_with_image", &PyTopics::names_with_image)
      .def("take_changed", &PyTopics::take_changed, "Topics whose image changed since the last call.")
      .def("columns", &PyTopics::columns, py::arg("fields"), py::arg("pattern"),
           "Topics that match, a bytearray of float64 a field, and rows with the caller's images.")
      .def("memory_bytes", &PyTopics::memory_bytes)
      .def("route", &PyTopics::route, py::arg("rings"), "A number for these rings, until forget_routes.")
      .def("arm", &PyTopics::arm, py::arg("name"), py::arg("route"))
      .def("disarm", &PyTopics::disarm, py::arg("name"))
      .def("disarm_all", &PyTopics::disarm_all)
      .def("forget_routes", &PyTopics::forget_routes, "Disarms all, too.");
  module.def("number_in", &number_in, py::arg("value"),
             "The number that a JSON value holds: a number, or a string that holds one; else NaN.");
  const auto new_stream = [](const py::object& topics, bool deflate, int window_bits, bool context_takeover,
                             std::size_t message_bytes_max, const py::object& decode) {
    const MessageReader::Config config{deflate, window_bits, context_takeover, message_bytes_max};
    return std::make_unique<ClientStream>(topics, config, decode);
  };
  py::class_<ClientStream>(module, "ClientStream",
                           "The bytes of a connection: takes what only goes on, hands out the rest.")
      .def(py::init(new_stream), py::arg("topics"), py::arg("deflate"), py::arg("window_bits"),
           py::arg("context_takeover"), py::arg("message_bytes_max"), py::arg("decode"))
      .def("room", &ClientStream::room, "Where the next bytes go; void after received and next.")
      .def("received", &ClientStream::received, py::arg("bytes"))
      .def(
          "next", &ClientStream::next,
          "None: all was read. A str: a message to judge. bytes: for the WebSocket library. False: a ring is "
          "full, or stop_each. Raises ProtocolError.")
      .def("take_touched", &ClientStream::take_touched, "The rings that got something since the last call.")
      .def_property_readonly("filled", &ClientStream::filled, "The last read filled its room.")
      .def_readonly("updates", &ClientStream::updates, "The number of updates that it took.")
      .def_readwrite("stop_each", &ClientStream::stop_each, "next() returns after each update that it took.");
}

}  // namespace tickwire
