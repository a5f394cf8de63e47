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

}  // namespace

void register_events(py::module_& module) {
  py::class_<DemandChange>(module, "DemandChange",
                           "The first subscriber of a topic came, or its last one went.")
      .def_readonly("feed", &DemandChange::feed)
      .def_readonly("topic", &DemandChange::topic)
      .def_readonly("wanted", &DemandChange::wanted);

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
      .def_property_readonly("token", [](const AccessQuestion& question) { return question.client->token; })
      .def_property_readonly(
          "claims", [](const AccessQuestion& question) { return question.client->claims; },
          "a JSON object, or empty");
}

}  // namespace tickwire
