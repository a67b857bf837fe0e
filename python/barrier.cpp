// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "object_type.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using Arrived = Embedding::Arrived;

constexpr Py_ssize_t kNeverFull = Py_ssize_t{1} << 28;  // what Barrier(0) amounts to, where it is accepted

using Instances = face::Life<BarrierObject, &BarrierObject::action, &BarrierObject::timeout, &BarrierObject::dict>;

BarrierObject& object_of(PyObject* self) { return Instances::of(self); }

bool is_made(const BarrierObject& self) {
  if (self.held.core != nullptr) return true;
  PyErr_SetString(PyExc_AttributeError, "'Barrier' object has no attribute '_cond'");
  return false;
}

PyObject* refuse_broken() {
  PyObject* const error = original("BrokenBarrierError");
  if (error == nullptr) return nullptr;
  PyErr_SetNone(error);
  Py_DECREF(error);
  return nullptr;
}

// By the last to arrive: the others stay until this is done, whatever the action does.
PyObject* act(BarrierObject& self, std::size_t index) {
  PyObject* const result = PyObject_CallObject(self.action, nullptr);
  Py_XDECREF(result);
  const bool passed = Embedding::finish(*self.held.core, result == nullptr);
  if (result == nullptr) return nullptr;
  return passed ? PyLong_FromSize_t(index) : refuse_broken();
}

constexpr const char* kWaitParameters[] = {"timeout"};

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  BarrierObject& object = object_of(self);
  PyObject* timeout = nullptr;
  if (!is_made(object) || !read_arguments("Barrier.wait", args, count, names, kWaitParameters, 1, &timeout)) {
    return nullptr;
  }
  threading::Barrier& barrier = *object.held.core;
  if (barrier.broken()) return refuse_broken();  // before the timeout is looked at
  if (object.parties == 1 && object.action == nullptr) return PyLong_FromLong(0);
  if (timeout == nullptr || timeout == Py_None) timeout = object.timeout;
  Deadline deadline = Deadline::never();
  if (!read_loop_timeout(timeout, deadline)) return nullptr;
  HandledWait waiting(deadline);
  const Embedding::Arrival arrival =
      waiting.run([&barrier](const Embedding::Wait& bound) { return Embedding::arrive(barrier, bound); });
  if (waiting.raised()) {
    if (arrival.what == Arrived::must_act) Embedding::finish(barrier, true);
    return nullptr;
  }
  switch (arrival.what) {
    case Arrived::passed: return PyLong_FromSize_t(arrival.index);
    case Arrived::must_act: return act(object, arrival.index);
    case Arrived::broken:
    case Arrived::interrupted: break;
  }
  return refuse_broken();
}

PyObject* reset(PyObject* self, PyObject*) {
  if (!is_made(object_of(self))) return nullptr;
  object_of(self).held.core->reset();
  Py_RETURN_NONE;
}

PyObject* abort(PyObject* self, PyObject*) {
  if (!is_made(object_of(self))) return nullptr;
  object_of(self).held.core->abort();
  Py_RETURN_NONE;
}

PyObject* get_parties(PyObject* self, void*) { return PyLong_FromSsize_t(object_of(self).parties); }

PyObject* get_n_waiting(PyObject* self, void*) {
  return is_made(object_of(self)) ? PyLong_FromSize_t(object_of(self).held.core->n_waiting()) : nullptr;
}

PyObject* get_broken(PyObject* self, void*) {
  return is_made(object_of(self)) ? boolean(object_of(self).held.core->broken()) : nullptr;
}

PyObject* get_action(PyObject* self, void*) {
  PyObject* const action = object_of(self).action;
  return new_reference(action != nullptr ? action : Py_None);
}

PyObject* get_timeout(PyObject* self, void*) {
  PyObject* const timeout = object_of(self).timeout;
  return new_reference(timeout != nullptr ? timeout : Py_None);
}

PyObject* repr(PyObject* self) {
  const BarrierObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.held.core->broken()) return show(self, PyUnicode_FromString("broken"));
  const auto waiting = static_cast<Py_ssize_t>(object.held.core->n_waiting());
  return show(self, PyUnicode_FromFormat("waiters=%zd/%zd", waiting, object.parties));
}

// The stdlib's own complaint about the number of parties. Returns: false with an exception set.
bool refuse_parties(PyObject* args, PyObject* names) {
  PyObject* const type = original("Barrier");
  PyObject* const barrier = type != nullptr ? PyObject_Call(type, args, names) : nullptr;
  Py_XDECREF(type);
  Py_XDECREF(barrier);
  if (barrier != nullptr) PyErr_SetString(PyExc_ValueError, "parties must be >= 1");
  return false;
}

int init(PyObject* self, PyObject* args, PyObject* names) {
  static const char* keywords[] = {"parties", "action", "timeout", nullptr};
  PyObject* parties = nullptr;
  PyObject* action = Py_None;
  PyObject* timeout = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, names, "O|OO:Barrier", const_cast<char**>(keywords), &parties, &action,
                                   &timeout)) {
    return -1;
  }
  if (kChecksParties && compares(parties, Py_LT, 1) < 0) return -1;
  const double wanted = PyFloat_AsDouble(parties);
  if (wanted == -1 && PyErr_Occurred()) return -1;
  BarrierObject& object = object_of(self);
  if (wanted < 1 && kChecksParties) return refuse_parties(args, names) ? 0 : -1;
  const bool can_fill = wanted >= 1 && wanted < static_cast<double>(kNeverFull);
  object.parties = wanted < 1e18 && wanted > -1e18 ? static_cast<Py_ssize_t>(wanted) : kNeverFull;
  const auto count = static_cast<std::size_t>(can_fill ? object.parties : kNeverFull);
  // The face runs the action; the core only needs to know that there is one.
  if (action != Py_None) {
    object.held.make(count, [] {});
  } else {
    object.held.make(count);
  }
  Py_INCREF(timeout);
  Py_XSETREF(object.timeout, timeout);
  Py_XINCREF(action);
  Py_XSETREF(object.action, action);
  if (action == Py_None) Py_CLEAR(object.action);
  return 0;
}

PyMethodDef methods[] = {
    {"wait", as_method(&wait), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("wait($self, timeout=None)\n--\n\nWait until all parties have called; return the order of arrival.")},
    {"reset", &reset, METH_NOARGS,
     PyDoc_STR("reset($self)\n--\n\nEmpty and whole again; who waits gets BrokenBarrierError.")},
    {"abort", &abort, METH_NOARGS, PyDoc_STR("abort($self)\n--\n\nBreak the barrier.")},
    {"__getstate__", &refuse_pickle, METH_NOARGS, PyDoc_STR("__getstate__($self, /)\n--\n\n")},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {kDictGetter,
                        {"parties", &get_parties, nullptr, "How many threads pass together.", nullptr},
                        {"n_waiting", &get_n_waiting, nullptr, "How many wait.", nullptr},
                        {"broken", &get_broken, nullptr, "Whether the barrier is broken.", nullptr},
                        {"_parties", &get_parties, nullptr, nullptr, nullptr},
                        {"_count", &get_n_waiting, nullptr, nullptr, nullptr},
                        {"_action", &get_action, nullptr, nullptr, nullptr},
                        {"_timeout", &get_timeout, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyObject* make_barrier_type(PyObject* module) {
  return make_type<Instances>(
      module,
      {.name = "threading.Barrier",
       .doc = "Barrier(parties, action=None, timeout=None)\n--\n\nThreads wait for each other, again and again.",
       .flags = kPrimitiveFlags,
       .construct = &Instances::make,
       .init = &init,
       .repr = kShowsState ? &repr : nullptr,
       .methods = methods,
       .getset = getset});
}

}  // namespace face
