#include "daemon/plugin_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "daemon/standard_streams.h"
#include "engine/exit_codes.h"

#if TICKWIRE_EMBED_PYTHON

#include <pybind11/embed.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "bindings/register.h"

namespace py = pybind11;

PYBIND11_EMBEDDED_MODULE(_tickwired_core, module) {
  tickwire::register_all(module);
}

namespace tickwire {
namespace {

// The interpreter of the environment that this program lies in: naming it makes Python find that
// environment's packages as if it had been started by hand. Empty: there is none.
std::string sibling_python() {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::filesystem::path python = self.parent_path() / "python3";
  return !failed && std::filesystem::exists(python, failed) ? python.string() : "";
}

void start_interpreter() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.parse_argv = 0;
  if (const std::string python = sibling_python(); !python.empty()) {
    PyConfig_SetBytesString(&config, &config.program_name, python.c_str());
    PyConfig_SetBytesString(&config, &config.executable, python.c_str());
  }
  constexpr bool kWorkingDirectoryIsSearched = false;
  py::initialize_interpreter(&config, 0, nullptr, kWorkingDirectoryIsSearched);
}

// Makes `import tickwire._core` find the module within this program, whose engine it is.
void provide_core() {
  py::module_::import("sys").attr("modules")["tickwire._core"] = py::module_::import("_tickwired_core");
}

// The text of an exception, whatever it holds: halves of surrogate pairs are escaped.
std::string text_of(const py::object& error) {
  return py::bytes(py::str(error).attr("encode")("utf-8", "backslashreplace"));
}

int serve(Engine& engine) {
  const std::string& path = engine.config().plugin_python_path;
  if (!path.empty()) {
    py::module_::import("site").attr("addsitedir")(path);
    py::module_::import("sys").attr("path").attr("insert")(0, path);
  }
  provide_core();
  py::module_ program;
  try {
    program = py::module_::import("tickwire._host.program");
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_ImportError)) throw;
    say(fmt::format(
        "{}; plugins need the Python package tickwire: install it beside this program, or name its "
        "folder in plugins.python_path",
        text_of(error.value())));
    return kExitUsage;
  }
  try {
    program.attr("run")(py::cast(&engine, py::return_value_policy::reference));
  } catch (py::error_already_set& error) {
    if (!error.matches(py::module_::import("tickwire.errors").attr("TickwireError"))) throw;
    say(text_of(error.value()));
    return py::module_::import("tickwire.exit_codes").attr("exit_code")(error.value()).cast<int>();
  }
  return kExitOk;
}

// What Python does at its end without waiting for threads.
void finish() {
  py::module_::import("atexit").attr("_run_exitfuncs")();
  const py::object out = py::module_::import("sys").attr("stdout");  // which a plugin may have taken away
  if (!out.is_none() && !py::cast<bool>(out.attr("closed"))) out.attr("flush")();
}

// What `work` returns; an exception is printed.
template <typename Work>
int reported(Work work) {
  try {
    return work();
  } catch (const std::exception& error) {
    say(error.what());
    return kExitServerError;
  }
}

}  // namespace

void run_with_plugins(std::unique_ptr<Engine> engine) {
  const int code = reported([&engine] {
    start_interpreter();
    return serve(*engine);
  });
  if (Py_IsInitialized() != 0) {
    {
      const py::gil_scoped_release released;
      engine->stop();
    }
    reported([] { return finish(), kExitOk; });
  }
  spdlog::shutdown();
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace tickwire

#else

namespace tickwire {

void run_with_plugins(std::unique_ptr<Engine> engine) {
  say(
      fmt::format("built without Python, so plugins are not available; serve them with `tickwire serve`, or "
                  "take them out of plugins.files ({})",
                  fmt::join(engine->config().plugin_files, ", ")));
  std::exit(kExitUsage);
}

}  // namespace tickwire

#endif
