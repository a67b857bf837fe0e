// SPDX-License-Identifier: MIT
//
// The stdlib's side of a queue: exposing it, and what it shows as attributes.
#include "queue.hpp"

namespace face::queue {

PyObject* stdlib(const char* name) {
  PyObject* const table = module_attribute("_queue_stdlib");
  if (table == nullptr) return nullptr;
  PyObject* const value = PyDict_GetItemString(table, name);
  if (value == nullptr) PyErr_SetString(PyExc_AttributeError, name);
  Py_XINCREF(value);
  Py_DECREF(table);
  return value;
}

PyObject* raise(const char* name) {
  PyObject* const error = stdlib(name);
  if (error != nullptr) PyErr_SetNone(error);
  Py_XDECREF(error);
  return nullptr;
}

PyObject* call_stdlib(const char* method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* const function = stdlib(method);
  if (function == nullptr) return nullptr;
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  PyObject* all[8] = {self};
  PyObject* result = nullptr;
  if (count + named < 8) {
    for (Py_ssize_t i = 0; i != count + named; ++i) all[i + 1] = args[i];
#if PY_VERSION_HEX >= 0x03090000
    result = PyObject_Vectorcall(function, all, static_cast<std::size_t>(count + 1), names);
#else
    result = _PyObject_Vectorcall(function, all, static_cast<std::size_t>(count + 1), names);
#endif
  } else {
    PyErr_Format(PyExc_TypeError, "%s() got too many arguments", method);
  }
  Py_DECREF(function);
  return result;
}

PyObject* call_elsewhere(Method method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  static constexpr const char* kNames[] = {"put", "get", "task_done", "join", "qsize", "empty", "full", "shutdown"};
  if (object_of(self).mode == Mode::shared) return call_shared(method, self, args, count, names);
  return call_stdlib(kNames[static_cast<int>(method)], self, args, count, names);
}

namespace {

// A shared queue's parts are what C++ uses.
int refuse_assignment(const char* name) {
  PyErr_Format(PyExc_AttributeError, "'%s' of a queue that is shared with C++ cannot be assigned", name);
  return -1;
}

// Makes the real objects. Who waits in our lists is woken and starts again, the exposed way.
bool expose_held(PyObject* self) {
  QueueObject& queue = object_of(self);
  if (queue.mode == Mode::exposed) return true;
  PyObject* const make = stdlib("make_parts");
  PyObject* const items = PyList_New(0);
  PyObject* parts = nullptr;
  bool done = make != nullptr && items != nullptr;
  const Py_ssize_t count = queue.ring.count;
  for (Py_ssize_t i = 0; done && i != count; ++i) {
    done = PyList_Append(items, queue.ring.items[(queue.ring.head + i) & (queue.ring.size - 1)]) == 0;
  }
  if (done) {
    PyObject* const order = PyLong_FromLong(static_cast<long>(queue.order));
    parts = PyObject_CallFunctionObjArgs(make, queue.heap != nullptr ? queue.heap : items, order, nullptr);
    Py_XDECREF(order);
  }
  // From here on nothing lets the GIL go. Somebody may have been here first.
  if (parts != nullptr && PyTuple_GET_SIZE(parts) == kParts && queue.mode == Mode::native &&
      queue.ring.count == count) {
    queue.unfinished = PyLong_FromSsize_t(queue.unfinished_tasks);
    for (int i = 0; i != kParts; ++i) queue.parts[i] = new_reference(PyTuple_GET_ITEM(parts, i));
    queue.mode = Mode::exposed;
    queue.getters.wake_all();
    queue.putters.wake_all();
    queue.joiners.wake_all();
    while (queue.ring.count != 0) {
      PyObject* const item = queue.ring.pop_front();
      Py_DECREF(item);
    }
  }
  Py_XDECREF(make);
  Py_XDECREF(items);
  Py_XDECREF(parts);
  if (queue.mode == Mode::exposed) return true;
  return parts != nullptr && expose_held(self);
}

bool expose(PyObject* self) {
  QueueObject& queue = object_of(self);
  if (queue.order != Order::priority) return expose_held(self);
  if (!hold(queue)) return false;
  const bool done = expose_held(self);
  queue.guard.unlock();
  return done;
}
}  // namespace

PyObject* get_part(PyObject* self, void* index) {
  QueueObject& queue = object_of(self);
  if (queue.mode == Mode::shared)
    return get_shared_part(self, static_cast<Part>(reinterpret_cast<std::intptr_t>(index)));
  PyObject*& part = queue.parts[reinterpret_cast<std::intptr_t>(index)];
  if (part == nullptr && queue.mode == Mode::native && !expose(self)) return nullptr;
  if (part != nullptr) return new_reference(part);
  PyErr_SetString(PyExc_AttributeError, kPartNames[reinterpret_cast<std::intptr_t>(index)]);
  return nullptr;
}

int set_part(PyObject* self, PyObject* value, void* index) {
  QueueObject& queue = object_of(self);
  if (queue.mode == Mode::shared) return refuse_assignment(kPartNames[reinterpret_cast<std::intptr_t>(index)]);
  if (queue.mode == Mode::native && !expose(self)) return -1;
  Py_XINCREF(value);
  Py_XSETREF(queue.parts[reinterpret_cast<std::intptr_t>(index)], value);
  return 0;
}

PyObject* get_unfinished(PyObject* self, void*) {
  const QueueObject& queue = object_of(self);
  if (queue.mode == Mode::shared) return get_shared_number(self, false);
  return queue.mode == Mode::exposed && queue.unfinished != nullptr ? new_reference(queue.unfinished)
                                                                    : PyLong_FromSsize_t(queue.unfinished_tasks);
}

int set_unfinished(PyObject* self, PyObject* value, void*) {
  QueueObject& queue = object_of(self);
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "unfinished_tasks");
    return -1;
  }
  if (queue.mode == Mode::shared) return refuse_assignment("unfinished_tasks");
  if (queue.mode == Mode::exposed) {
    Py_INCREF(value);
    Py_XSETREF(queue.unfinished, value);
    return 0;
  }
  const Py_ssize_t count = PyLong_AsSsize_t(value);
  if (count == -1 && PyErr_Occurred()) return -1;
  queue.unfinished_tasks = count;
  if (count <= 0) queue.joiners.wake_all();
  return 0;
}

PyObject* get_maxsize(PyObject* self, void*) {
  if (object_of(self).mode == Mode::shared) return get_shared_number(self, true);
  PyObject* const maxsize = object_of(self).maxsize;
  return maxsize != nullptr ? new_reference(maxsize) : PyLong_FromLong(0);
}

int set_maxsize(PyObject* self, PyObject* value, void*) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "maxsize");
    return -1;
  }
  const double limit = PyFloat_AsDouble(value);
  if (limit == -1 && PyErr_Occurred()) return -1;
  QueueObject& queue = object_of(self);
  const Py_ssize_t whole = limit <= 0 ? 0 : limit < 1e18 ? static_cast<Py_ssize_t>(limit) : PY_SSIZE_T_MAX;
  if (queue.mode == Mode::shared) return set_shared_maxsize(self, whole);
  queue.limit = whole;
  Py_INCREF(value);
  Py_XSETREF(queue.maxsize, value);
  queue.putters.wake_all();
  return 0;
}

PyObject* get_shutdown(PyObject* self, void*) { return boolean(is_shut_down(self)); }

int set_shutdown(PyObject* self, PyObject* value, void*) {
  if (object_of(self).mode == Mode::shared) return refuse_assignment("is_shutdown");
  const int truth = value != nullptr ? PyObject_IsTrue(value) : 0;
  if (truth < 0) return -1;
  object_of(self).is_shutdown = truth != 0;
  return 0;
}

}  // namespace face::queue
