// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "objects.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

SemaphoreObject& object_of(PyObject* self) { return *reinterpret_cast<SemaphoreObject*>(self); }

void destroy(SemaphoreObject& self) {
  if (self.shared != nullptr) {
    delete std::exchange(self.shared, nullptr);
  } else if (self.shared_bounded != nullptr) {
    delete std::exchange(self.shared_bounded, nullptr);
  }
  self.core = nullptr;  // in `room`: trivially destructible
}

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
  if (!read_timeout(values[1], deadline)) return nullptr;
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
  if (!is_made(object_of(self)) || !give(object_of(self), 1)) return nullptr;
  Py_RETURN_NONE;
}

// A number of any kind. Returns: false with an exception set.
bool read_count(PyObject* n, std::ptrdiff_t& count) {
  PyObject* const one = PyLong_FromLong(1);
  const int too_few = PyObject_RichCompareBool(n, one, Py_LT);
  Py_DECREF(one);
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

PyObject* refuse_pickle(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "cannot pickle '_thread.lock' object");
  return nullptr;
}

PyObject* repr(PyObject* self) {
  SemaphoreObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(self));
  PyObject* const module = PyObject_GetAttrString(type, "__module__");
  PyObject* const name = PyObject_GetAttrString(type, "__qualname__");
  PyObject* result = nullptr;
  if (module != nullptr && name != nullptr) {
    result = object.bounded
                 ? PyUnicode_FromFormat("<%S.%S at %p: value=%zd/%zd>", module, name, static_cast<void*>(self),
                                        object.core->value(), object.with_bound().initial_value())
                 : PyUnicode_FromFormat("<%S.%S at %p: value=%zd>", module, name, static_cast<void*>(self),
                                        object.core->value());
  }
  Py_XDECREF(module);
  Py_XDECREF(name);
  return result;
}

PyObject* construct(PyTypeObject* type, PyObject*, PyObject*) { return type->tp_alloc(type, 0); }

bool read_value(PyObject* args, PyObject* names, std::ptrdiff_t& value) {
  static const char* keywords[] = {"value", nullptr};
  PyObject* given = nullptr;
  if (PyTuple_GET_SIZE(args) == 0 && names == nullptr) return true;
  if (!PyArg_ParseTupleAndKeywords(args, names, "|O:Semaphore", const_cast<char**>(keywords), &given)) return false;
  if (given == nullptr) return true;
  PyObject* const zero = PyLong_FromLong(0);
  const int negative = PyObject_RichCompareBool(given, zero, Py_LT);
  Py_DECREF(zero);
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
  destroy(object);
  object.bounded = false;
  object.core = new (object.room) threading::Semaphore(value);
  return 0;
}

int init_bounded(PyObject* self, PyObject* args, PyObject* names) {
  std::ptrdiff_t value = 1;
  if (!read_value(args, names, value)) return -1;
  SemaphoreObject& object = object_of(self);
  destroy(object);
  object.bounded = true;
  object.core = new (object.room) threading::BoundedSemaphore(value);
  return 0;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(object_of(self).dict);
  return visit_type(self, visit, arg);
}

int drop(PyObject* self) {
  Py_CLEAR(object_of(self).dict);
  return 0;
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (object_of(self).weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  drop(self);
  destroy(object_of(self));
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"acquire", as_method(&acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire(blocking=True, timeout=None) -> bool\n\nTake a unit; wait for one if asked to.")},
    {"release", as_method(&release), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("release(n=1)\n\nAdd units and let as many waiting threads go on.")},
    {"__getstate__", &refuse_pickle, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {
    kDictGetter, {"_value", &get_value, nullptr, nullptr, nullptr}, {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyGetSetDef bounded_getset[] = {{"_initial_value", &get_initial_value, nullptr, nullptr, nullptr},
                                {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                       {Py_tp_new, as_slot(&construct)},
                       {Py_tp_init, as_slot(&init)},
                       {Py_tp_traverse, as_slot(&traverse)},
                       {Py_tp_clear, as_slot(&drop)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, getset},
                       {Py_tp_doc, const_cast<char*>("A counter that acquire() takes from and release() adds to.")},
                       {kShowsState ? Py_tp_repr : 0, as_slot(&repr)},
                       {0, nullptr}};
PyType_Slot bounded_slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                               {Py_tp_init, as_slot(&init_bounded)},
                               {Py_tp_traverse, as_slot(&traverse)},
                               {Py_tp_clear, as_slot(&drop)},
                               {Py_tp_getset, bounded_getset},
                               {Py_tp_doc, const_cast<char*>("A Semaphore that never exceeds its initial value.")},
                               {0, nullptr}};

constexpr unsigned kFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;

}  // namespace

PyObject* make_semaphore_type(PyObject* module) {
  PyType_Spec spec{"threading.Semaphore", sizeof(SemaphoreObject), 0, kFlags, slots};
  TypeExtras extras;
  extras.dict = offsetof(SemaphoreObject, dict);
  extras.weakrefs = offsetof(SemaphoreObject, weakrefs);
  extras.enter = &enter;
  extras.exit = &leave;
  return make_type(module, spec, extras);
}

PyObject* make_bounded_semaphore_type(PyObject* module) {
  PyType_Spec spec{"threading.BoundedSemaphore", sizeof(SemaphoreObject), 0, kFlags, bounded_slots};
  TypeExtras extras;
  PyObject* const base = PyObject_GetAttrString(module, "Semaphore");
  extras.bases = base != nullptr ? PyTuple_Pack(1, base) : nullptr;
  Py_XDECREF(base);
  if (extras.bases == nullptr) return nullptr;
  PyObject* const type = make_type(module, spec, extras);
  Py_DECREF(extras.bases);
  return type;
}

}  // namespace face
