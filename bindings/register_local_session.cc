#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "bindings/errors.h"
#include "bindings/register.h"
#include "bridge/local_session.h"

namespace tickwire {

namespace py = pybind11;

namespace {

// So often a waiting reader looks whether Ctrl-C was pressed.
constexpr std::chrono::milliseconds kSignalCheckMs{100};

LocalRead read_unlocked(LocalClient& session, std::string& text, std::chrono::milliseconds timeout) {
  const py::gil_scoped_release released;
  return session->read(text, timeout);
}

std::optional<std::string> read(LocalClient& session, std::optional<double> timeout_s) {
  using Clock = std::chrono::steady_clock;
  const auto wait = std::chrono::duration<double>(timeout_s.value_or(0));
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(wait);
  for (std::string text;;) {
    auto left = kSignalCheckMs;
    if (timeout_s) {
      left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
      left = std::clamp(left, std::chrono::milliseconds(0), kSignalCheckMs);
    }
    const LocalRead result = read_unlocked(session, text, left);
    if (result == LocalRead::kText) return text;
    if (result == LocalRead::kClosed) {
      throw_error({ErrorCode::kDraining, "the session is closed: " + session->close_reason(), ""});
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (timeout_s && Clock::now() >= end) return std::nullopt;
  }
}

}  // namespace

void register_local_session(py::module_& module) {
  py::class_<LocalClient>(module, "LocalSession",
                          "An in-process client that speaks the protocol of docs/PROTOCOL.md.")
      .def(
          "send", [](LocalClient& session, std::string text) { unwrap(session->send(std::move(text))); },
          py::arg("text"))
      .def("read", &read, py::arg("timeout_s") = py::none(),
           "The next message, or None after timeout_s (None: waits). ServerError when closed.")
      .def(
          "notify_fd", [](LocalClient& session) { return unwrap(session->notify_fd()); },
          "Readable while read() would return at once.")
      .def("close", [](LocalClient& session) { session->close(); });
}

}  // namespace tickwire
