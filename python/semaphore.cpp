// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "object_type.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using Instances = face::Life<SemaphoreObject, &SemaphoreObject::dict>;

SemaphoreObject& object_of(PyObject* self) { return Instances::of(self); }

bool is_made(const SemaphoreObject& self) {
  if (self.core != nullptr) return true;
  PyErr_SetString(PyExc_AttributeError, "'Semaphore' object has no attribute '_cond'");
  return false;
}

// Waits for a unit. Returns: 1 taken, 0 timed out, -1 with an exception set.
int wait_for_unit(SemaphoreObject& self, Deadline deadline) {
  Pieces pieces(deadline);
  threading::detail::SemaphoreCore& core = *self.core;
  for (;;) {
    const Embedding::Wait wait = pieces.next();
    const Outcome outcome = without_gil([&core, &wait] { return Embedding::acquire(core, wait); });
    if (outcome == Outcome::ok) return 1;
    if (Py_MakePendingCalls() < 0) return -1;
    if (outcome == Outcome::timed_out && pieces.over()) return 0;
  }
}

PyObject* enter(PyObject* self) {
  SemaphoreObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (!object.core->try_acquire() && wait_for_unit(object, Deadline::never()) < 0) return nullptr;
  Py_RETURN_TRUE;
}

constexpr const char* kAcquireParameters[] = {"blocking", "timeout"};

PyObject* acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (count == 0 && names == nullptr) return enter(self);
  SemaphoreObject& object = object_of(self);
  PyObject* values[2];
  if (!is_made(object) || !read_arguments("Semaphore.acquire", args, count, names, kAcquireParameters, 2, values)) {
    return nullptr;
  }
  const int blocking = values[0] == nullptr ? 1 : PyObject_IsTrue(values[0]);
  if (blocking < 0) return nullptr;
  const bool bounded = values[1] != nullptr && values[1] != Py_None;
  if (blocking == 0 && bounded) {
    PyErr_SetString(PyExc_ValueError, "can't specify timeout for non-blocking acquire");
    return nullptr;
  }
  if (object.core->try_acquire()) Py_RETURN_TRUE;
  if (blocking == 0) Py_RETURN_FALSE;
  Deadline deadline = Deadline::never();
  if (!read_loop_timeout(values[1], deadline)) return nullptr;
  if (deadline == Deadline::passed()) Py_RETURN_FALSE;
  const int taken = wait_for_unit(object, deadline);
  return taken < 0 ? nullptr : boolean(taken == 1);
}

bool give(SemaphoreObject& self, std::ptrdiff_t n) {
  if (self.bounded) {
    if (Embedding::release(self.with_bound(), n)) return true;
    PyErr_SetString(PyExc_ValueError, "Semaphore released too many times");
    return false;
  }
  if (Embedding::release(self.plain(), n)) return true;
  PyErr_SetString(PyExc_OverflowError, "semaphore value too large");
  return false;
}

PyObject* leave(PyObject* self) {
  if (!Instances::plain(self)) {  // it may have its own release()
    PyObject* const result = PyObject_CallMethod(self, "release", nullptr);
    if (result == nullptr) return nullptr;
    Py_DECREF(result);
    Py_RETURN_NONE;
  }
  if (!is_made(object_of(self)) || !give(object_of(self), 1)) return nullptr;
  Py_RETURN_NONE;
}

// A number of any kind. Returns: false with an exception set.
bool read_count(PyObject* n, std::ptrdiff_t& count) {
  const int too_few = compares(n, Py_LT, 1);
  if (too_few < 0) return false;
  if (too_few == 1) {
    PyErr_SetString(PyExc_ValueError, "n must be one or more");
    return false;
  }
  const double number = PyFloat_AsDouble(n);
  if (number == -1 && PyErr_Occurred()) return false;
  count = number < 1e18 ? static_cast<std::ptrdiff_t>(number) : PTRDIFF_MAX;
  return true;
}

constexpr const char* kReleaseParameters[] = {"n"};

PyObject* release(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  SemaphoreObject& object = object_of(self);
  std::ptrdiff_t units = 1;
  if (count != 0 || names != nullptr) {
    PyObject* n = nullptr;
    if (!read_arguments("Semaphore.release", args, count, names, kReleaseParameters, kReleasesSeveral ? 1 : 0, &n) ||
        !read_count(n, units)) {
      return nullptr;
    }
  }
  if (!is_made(object) || !give(object, units)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* get_value(PyObject* self, void*) {
  const SemaphoreObject& object = object_of(self);
  return is_made(object) ? PyLong_FromSsize_t(object.core->value()) : nullptr;
}

PyObject* get_initial_value(PyObject* self, void*) {
  SemaphoreObject& object = object_of(self);
  return is_made(object) ? PyLong_FromSsize_t(object.with_bound().initial_value()) : nullptr;
}

PyObject* repr(PyObject* self) {
  SemaphoreObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  const Py_ssize_t value = object.core->value();
  return show(self, object.bounded ? PyUnicode_FromFormat("value=%zd/%zd", value, object.with_bound().initial_value())
                                   : PyUnicode_FromFormat("value=%zd", value));
}

bool read_value(PyObject* args, PyObject* names, std::ptrdiff_t& value) {
  static const char* keywords[] = {"value", nullptr};
  PyObject* given = nullptr;
  if (PyTuple_GET_SIZE(args) == 0 && names == nullptr) return true;
  if (!PyArg_ParseTupleAndKeywords(args, names, "|O:Semaphore", const_cast<char**>(keywords), &given)) return false;
  if (given == nullptr) return true;
  const int negative = compares(given, Py_LT, 0);
  if (negative < 0) return false;
  if (negative == 1) {
    PyErr_SetString(PyExc_ValueError, "semaphore initial value must be >= 0");
    return false;
  }
  const double number = PyFloat_AsDouble(given);
  if (number == -1 && PyErr_Occurred()) return false;
  value = number < 1e18 ? static_cast<std::ptrdiff_t>(number) : PTRDIFF_MAX / 2;
  return true;
}

int init(PyObject* self, PyObject* args, PyObject* names) {
  std::ptrdiff_t value = 1;
  if (!read_value(args, names, value)) return -1;
  SemaphoreObject& object = object_of(self);
  destroy_core(object);
  object.bounded = false;
  object.core = new (object.room) threading::Semaphore(value);
  return 0;
}

int init_bounded(PyObject* self, PyObject* args, PyObject* names) {
  std::ptrdiff_t value = 1;
  if (!read_value(args, names, value)) return -1;
  SemaphoreObject& object = object_of(self);
  destroy_core(object);
  object.bounded = true;
  object.core = new (object.room) threading::BoundedSemaphore(value);
  return 0;
}

PyMethodDef methods[] = {
    {"acquire", as_method(&acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire($self, blocking=True, timeout=None)\n--\n\nTake a unit; wait for one if asked to.")},
    {"release", as_method(&release), METH_FASTCALL | METH_KEYWORDS,
     kReleasesSeveral ? "release($self, n=1)\n--\n\nAdd units and let as many waiting threads go on."
                      : "release($self)\n--\n\nAdd a unit and let a waiting thread go on."},
    {"__getstate__", &refuse_pickle, METH_NOARGS, PyDoc_STR("__getstate__($self, /)\n--\n\n")},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {
    kDictGetter, {"_value", &get_value, nullptr, nullptr, nullptr}, {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyGetSetDef bounded_getset[] = {{"_initial_value", &get_initial_value, nullptr, nullptr, nullptr},
                                {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

void destroy_core(SemaphoreObject& object) {
  if (object.shared != nullptr) {
    delete std::exchange(object.shared, nullptr);
  } else if (object.shared_bounded != nullptr) {
    delete std::exchange(object.shared_bounded, nullptr);
  }
  object.core = nullptr;  // in `room`: trivially destructible
}

PyObject* make_semaphore_type(PyObject* module) {
  return make_type<Instances>(
      module, {.name = "threading.Semaphore",
               .doc = "Semaphore(value=1)\n--\n\nA counter that acquire() takes from and release() adds to.",
               .flags = kPrimitiveFlags,
               .construct = &Instances::make,
               .init = &init,
               .repr = kShowsState ? &repr : nullptr,
               .methods = methods,
               .getset = getset,
               .enter = &enter,
               .exit = &leave});
}

PyObject* make_bounded_semaphore_type(PyObject* module) {
  return make_type<Instances>(
      module, {.name = "threading.BoundedSemaphore",
               .doc = "BoundedSemaphore(value=1)\n--\n\nA Semaphore that never exceeds its initial value.",
               .flags = kPrimitiveFlags,
               .init = &init_bounded,
               .getset = bounded_getset,
               .base = "Semaphore"});
}

}  // namespace face
