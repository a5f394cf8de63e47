#include <string>
#include <string_view>

#include "bindings/register.h"
#include "bridge/event_queue.h"

namespace tickwire {

namespace py = pybind11;

namespace {

std::string_view name_of(Action action) {
  switch (action) {
    case Action::kSubscribe:
      return "subscribe";
    case Action::kPublish:
      return "publish";
    case Action::kAuthenticate:
      return "authenticate";
  }
  return "";
}

// What is not UTF-8 becomes U+FFFD: a header may hold any bytes.
py::dict texts_of(const ClientRequest::Fields& fields) {
  py::dict out;
  for (const auto& [name, text] : fields) {
    PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
    if (decoded == nullptr) throw py::error_already_set();
    out[py::str(name)] = py::reinterpret_steal<py::str>(decoded);
  }
  return out;
}

py::dict headers_of(const ClientInfo& client) {
  return client.request == nullptr ? py::dict() : texts_of(client.request->headers);
}

py::dict cookies_of(const ClientInfo& client) {
  return client.request == nullptr ? py::dict() : texts_of(client.request->cookies);
}

}  // namespace

void register_events(py::module_& module) {
  py::class_<DemandChange>(module, "DemandChange",
                           "The first subscriber of a topic came, or its last one went.")
      .def_readonly("feed", &DemandChange::feed)
      .def_readonly("topic", &DemandChange::topic)
      .def_readonly("wanted", &DemandChange::wanted);

  py::class_<AdminWish>(module, "AdminWish", "A plugin that is to begin anew, or a level to log from on.")
      .def_readonly("restart", &AdminWish::restart)
      .def_readonly("log_level", &AdminWish::log_level);

  py::class_<AccessQuestion>(module, "AccessQuestion",
                             "May this client do that? To be answered with Engine.answer.")
      .def_readonly("id", &AccessQuestion::id)
      .def_property_readonly(
          "action", [](const AccessQuestion& question) { return name_of(question.action); },
          "subscribe, publish or authenticate")
      .def_readonly("topic", &AccessQuestion::topic)
      .def_property_readonly("session",
                             [](const AccessQuestion& question) { return question.client->session; })
      .def_property_readonly("remote", [](const AccessQuestion& question) { return question.client->remote; })
      .def_property_readonly(
          "address", [](const AccessQuestion& question) { return question.client->address.key; },
          "a number for limits by address; 0: this machine's own, which has none")
      .def_property_readonly(
          "headers", [](const AccessQuestion& question) { return headers_of(*question.client); },
          "those of its request that auth.client_headers names, by name in lower case")
      .def_property_readonly(
          "cookies", [](const AccessQuestion& question) { return cookies_of(*question.client); },
          "those of its request that auth.client_cookies names, of a page that is allowed by name")
      .def_property_readonly("token", [](const AccessQuestion& question) { return question.client->token; })
      .def_property_readonly(
          "claims", [](const AccessQuestion& question) { return question.client->claims; },
          "a JSON object, or empty");
}

}  // namespace tickwire
