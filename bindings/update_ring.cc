#include "bindings/update_ring.h"

#include <algorithm>
#include <string>

#include "bindings/register.h"

namespace tickwire {

namespace py = pybind11;

namespace {

constexpr std::size_t kBatchMax = 4096;

// One step of an iteration: what `await` gets from __anext__. It takes the update when it is awaited, not
// when it is made, so a step that was cancelled before it began loses nothing. If there is none, it goes on
// as the coroutine reader._wait(), which returns when there may be one, and raises at the end.
//
// It has the methods of a coroutine (collections.abc.Coroutine), so asyncio makes tasks of it.
struct StepObject {
  PyObject_HEAD PyObject* holder;  // the Python object of ring
  UpdateRing* ring;
  PyObject* reader;
  PyObject* inner;  // the coroutine, once it waits
  bool batch;
  bool done;
};

PyTypeObject* step_type = nullptr;

StepObject* step_of(PyObject* self) {
  return reinterpret_cast<StepObject*>(self);
}

// The update or the batch that is there; null without an exception: there is none.
PyObject* take_now(StepObject* step) {
  if (step->ring->empty()) return nullptr;
  PyObject* taken = step->batch ? step->ring->take(kBatchMax).release().ptr() : step->ring->pop();
  if (step->ring->take_room()) {
    PyObject* told = PyObject_CallMethod(step->reader, "_room", nullptr);
    if (told == nullptr) {
      Py_DECREF(taken);
      return nullptr;
    }
    Py_DECREF(told);
  }
  return taken;
}

PySendResult step_send(PyObject* self, PyObject* value, PyObject** result) {
  StepObject* step = step_of(self);
  *result = nullptr;
  if (step->done) {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    return PYGEN_ERROR;
  }
  while (true) {
    if (step->inner == nullptr) {
      *result = take_now(step);
      if (*result != nullptr || PyErr_Occurred() != nullptr) {
        step->done = true;
        return *result != nullptr ? PYGEN_RETURN : PYGEN_ERROR;
      }
      step->inner = PyObject_CallMethod(step->reader, "_wait", nullptr);
      if (step->inner == nullptr) return PYGEN_ERROR;
      value = Py_None;
    }
    const PySendResult sent = PyIter_Send(step->inner, value, result);
    if (sent != PYGEN_RETURN) {
      if (sent == PYGEN_ERROR) step->done = true;
      return sent;
    }
    Py_CLEAR(*result);  // there may be one now
    Py_CLEAR(step->inner);
  }
}

PyObject* step_send_method(PyObject* self, PyObject* value) {
  PyObject* result = nullptr;
  switch (step_send(self, value, &result)) {
    case PYGEN_NEXT:
      return result;
    case PYGEN_RETURN:
      PyErr_SetObject(PyExc_StopIteration, result);
      Py_DECREF(result);
      return nullptr;
    default:
      return nullptr;
  }
}

PyObject* step_next(PyObject* self) {
  return step_send_method(self, Py_None);
}

PyObject* step_throw(PyObject* self, PyObject* args) {
  StepObject* step = step_of(self);
  if (step->inner != nullptr && !step->done) {
    PyObject* method = PyObject_GetAttrString(step->inner, "throw");
    PyObject* result = method == nullptr ? nullptr : PyObject_Call(method, args, nullptr);
    Py_XDECREF(method);
    if (result == nullptr && PyErr_ExceptionMatches(PyExc_StopIteration) != 0) {  // it took it as its end
      PyErr_Clear();
      Py_CLEAR(step->inner);
      return step_send_method(self, Py_None);
    }
    if (result == nullptr) step->done = true;
    return result;
  }
  step->done = true;
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  if (PyArg_ParseTuple(args, "O|OO", &type, &value, &trace) == 0) return nullptr;
  if (PyExceptionInstance_Check(type)) {
    PyErr_SetObject(PyExceptionInstance_Class(type), type);
  } else {
    PyErr_SetObject(type, value == Py_None ? nullptr : value);
  }
  return nullptr;
}

PyObject* step_close(PyObject* self, PyObject* /*unused*/) {
  StepObject* step = step_of(self);
  const bool open = step->inner != nullptr && !step->done;
  step->done = true;
  if (open) return PyObject_CallMethod(step->inner, "close", nullptr);
  Py_RETURN_NONE;
}

PyObject* step_await(PyObject* self) {
  return Py_NewRef(self);
}

void step_dealloc(PyObject* self) {
  StepObject* step = step_of(self);
  Py_XDECREF(step->inner);
  Py_XDECREF(step->holder);
  Py_XDECREF(step->reader);
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef step_methods[] = {{"send", step_send_method, METH_O, nullptr},
                              {"throw", step_throw, METH_VARARGS, nullptr},
                              {"close", step_close, METH_NOARGS, nullptr},
                              {nullptr, nullptr, 0, nullptr}};

PyType_Slot step_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(step_dealloc)},
                            {Py_am_await, reinterpret_cast<void*>(step_await)},
                            {Py_am_send, reinterpret_cast<void*>(step_send)},
                            {Py_tp_iter, reinterpret_cast<void*>(step_await)},
                            {Py_tp_iternext, reinterpret_cast<void*>(step_next)},
                            {Py_tp_methods, step_methods},
                            {0, nullptr}};

PyType_Spec step_spec = {"tickwire._core.Step", sizeof(StepObject), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, step_slots};

py::object new_step(const py::object& ring, const py::object& reader, bool batch) {
  PyObject* self = step_type->tp_alloc(step_type, 0);
  if (self == nullptr) throw py::error_already_set();
  StepObject* step = step_of(self);
  step->ring = &ring.cast<UpdateRing&>();
  step->holder = Py_NewRef(ring.ptr());
  step->reader = Py_NewRef(reader.ptr());
  step->batch = batch;
  return py::reinterpret_steal<py::object>(self);
}

}  // namespace

py::list UpdateRing::take(std::size_t count) {
  py::list taken(std::min(count, entries_.size()));
  for (py::ssize_t i = 0; i < static_cast<py::ssize_t>(taken.size()); ++i) {
    PyList_SET_ITEM(taken.ptr(), i, pop());
  }
  return taken;
}

py::list UpdateRing::drop() {
  py::list dropped;
  while (!entries_.empty()) {
    const Entry entry = entries_.pop_front();
    dropped.append(py::make_tuple(py::reinterpret_steal<py::object>(entry.update), entry.first_missed));
  }
  was_full_ = false;
  return dropped;
}

void UpdateRing::clear() {
  while (!entries_.empty()) Py_DECREF(pop());
}

void register_update_ring(py::module_& module) {
  if (step_type == nullptr) {
    step_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&step_spec));
    if (step_type == nullptr) throw py::error_already_set();
  }
  py::class_<UpdateRing>(module, "UpdateRing", "The updates that one reader of a client has not taken yet.")
      .def(py::init<std::size_t>(), py::arg("limit"))
      .def("__len__", &UpdateRing::size)
      .def_property_readonly("full", &UpdateRing::is_full, "It holds its limit or more.")
      .def(
          "append",
          [](UpdateRing& ring, const py::object& update, std::uint64_t first_missed) {
            ring.append(update.ptr(), first_missed);
          },
          py::arg("update"), py::arg("first_missed"),
          "first_missed: the first seq that its reader misses if it is dropped.")
      .def(
          "pop",
          [](UpdateRing& ring) {
            if (ring.empty()) throw py::index_error("the ring is empty");
            return py::reinterpret_steal<py::object>(ring.pop());
          },
          "The oldest. Raises IndexError when it is empty.")
      .def("take", &UpdateRing::take, py::arg("count"), "At most so many, oldest first.")
      .def("drop", &UpdateRing::drop, "All as (update, first_missed); it is empty then.")
      .def("note_full", &UpdateRing::note_full)
      .def("take_room", &UpdateRing::take_room, "True once, when it is half empty after note_full.")
      .def("close", &UpdateRing::close, "Nothing more is appended.")
      .def(
          "step",
          [](const py::object& ring, const py::object& reader) { return new_step(ring, reader, false); },
          py::arg("reader"),
          "An awaitable of the next update; reader._wait() while there is none, reader._room().")
      .def(
          "batch",
          [](const py::object& ring, const py::object& reader) { return new_step(ring, reader, true); },
          py::arg("reader"), "As step, of all updates that are there.");
}

}  // namespace tickwire
