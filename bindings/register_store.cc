#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "bindings/errors.h"
#include "bindings/register.h"
#include "store/backup_request.h"
#include "store/store_copy.h"
#include "store/store_file.h"

namespace tickwire {

namespace py = pybind11;

namespace {

constexpr std::chrono::milliseconds kLook{20};

template <typename Work>
auto without_gil(Work work) {
  const py::gil_scoped_release released;
  return work();
}

// False: the server ended first.
bool ask_server(const std::string& path, const std::string& target) {
  BackupRequest request = unwrap(BackupRequest::make(path));
  while (request.is_waiting()) {
    if (!StoreFile::is_held(path)) return false;
    without_gil([] { std::this_thread::sleep_for(kLook); });
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  unwrap(without_gil([&] { return request.take(target); }));
  return true;
}

void backup(const std::string& path, const std::string& target) {
  while (true) {
    const Status copied = without_gil([&] { return backup_store(path, target); });
    if (copied) return;
    if (copied.error().code != ErrorCode::kStoreLocked) unwrap(copied);
    if (ask_server(path, target)) return;
  }
}

std::string restore(const std::string& backup, const std::string& path) {
  return unwrap(without_gil([&] { return restore_store(backup, path); }));
}

}  // namespace

void register_store(py::module_& module) {
  module.def("backup_store", &backup, py::arg("path"), py::arg("target"),
             "Copies the store at `path`, also while a server runs on it, to a new file. StoreError.");
  module.def("restore_store", &restore, py::arg("backup"), py::arg("path"),
             "Puts a copy in the store's place. The new name of what was there, or \"\". StoreError.");
}

}  // namespace tickwire
