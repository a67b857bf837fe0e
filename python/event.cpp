// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "object_type.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using Instances = face::Life<EventObject, &EventObject::dict, &EventObject::cond>;

EventObject& object_of(PyObject* self) { return Instances::of(self); }
threading::Event& event_of(PyObject* self) { return *object_of(self).held.core; }

bool call_cond(EventObject& self, const char* method) {
  PyObject* const result = PyObject_CallMethod(self.cond, method, nullptr);
  Py_XDECREF(result);
  return result != nullptr;
}

// Runs a change under the lock that `_cond` gave out, if it did.
template <class Change>
PyObject* change(PyObject* self, Change change) {
  EventObject& object = object_of(self);
  if (object.cond == nullptr) {
    change(*object.held.core);
  } else {
    if (!call_cond(object, "acquire")) return nullptr;
    change(*object.held.core);
    if (!call_cond(object, "release")) return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* is_set(PyObject* self, PyObject*) { return boolean(event_of(self).is_set()); }

PyObject* old_is_set(PyObject* self, PyObject*) {
  if (!accept_old_name("isSet() is deprecated, use is_set() instead")) return nullptr;
  // By name, since it is no mere alias any more: a subclass may have its own.
  return kDeprecatesCamelCase ? PyObject_CallMethod(self, "is_set", nullptr) : is_set(self, nullptr);
}

PyObject* set(PyObject* self, PyObject*) {
  return change(self, [](threading::Event& event) { event.set(); });
}

PyObject* clear(PyObject* self, PyObject*) {
  return change(self, [](threading::Event& event) { event.clear(); });
}

constexpr const char* kWaitParameters[] = {"timeout"};

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  threading::Event& event = event_of(self);
  PyObject* timeout = nullptr;
  if (count == 1 && names == nullptr) {
    timeout = args[0];
  } else if ((count != 0 || names != nullptr) &&
             !read_arguments("Event.wait", args, count, names, kWaitParameters, 1, &timeout)) {
    return nullptr;
  }
  if (event.is_set()) Py_RETURN_TRUE;
  Deadline deadline = Deadline::never();
  if (!read_timeout(timeout, deadline)) return nullptr;
  if (deadline == Deadline::passed()) return boolean(event.is_set());
  HandledWait waiting(deadline);
  const Outcome outcome = waiting.run([&event](const Embedding::Wait& bound) { return Embedding::wait(event, bound); });
  if (waiting.raised()) return nullptr;
  return boolean(outcome == Outcome::ok);
}

PyObject* reinit(PyObject* self, PyObject*) {
  threading::Event& event = event_of(self);
  const bool was_set = event.is_set();
  Embedding::reset_after_fork(event);
  if (was_set) event.set();
  Py_CLEAR(object_of(self).cond);
  Py_RETURN_NONE;
}

PyObject* get_flag(PyObject* self, void*) { return boolean(event_of(self).is_set()); }

PyObject* get_cond(PyObject* self, void*) {
  EventObject& object = object_of(self);
  if (object.cond == nullptr) {
    PyObject* const condition = module_attribute("Condition");
    PyObject* const lock_factory = module_attribute("allocate_lock");
    PyObject* const lock = lock_factory != nullptr ? PyObject_CallObject(lock_factory, nullptr) : nullptr;
    if (condition != nullptr && lock != nullptr) object.cond = PyObject_CallFunctionObjArgs(condition, lock, nullptr);
    Py_XDECREF(condition);
    Py_XDECREF(lock_factory);
    Py_XDECREF(lock);
    if (object.cond == nullptr) return nullptr;
  }
  return new_reference(object.cond);
}

PyObject* repr(PyObject* self) { return show(self, PyUnicode_FromString(event_of(self).is_set() ? "set" : "unset")); }

PyObject* construct(PyTypeObject* type, PyObject* args, PyObject* names) {
  PyObject* const self = Instances::make(type, args, names);
  if (self != nullptr) object_of(self).held.make();
  return self;
}

int init(PyObject* self, PyObject* args, PyObject* names) {
  if (PyTuple_GET_SIZE(args) != 0 || (names != nullptr && PyDict_GET_SIZE(names) != 0)) {
    PyErr_Format(PyExc_TypeError, "%s() takes no arguments", Py_TYPE(self)->tp_name);
    return -1;
  }
  event_of(self).clear();
  return 0;
}

PyMethodDef methods[] = {
    {"is_set", &is_set, METH_NOARGS, PyDoc_STR("is_set($self)\n--\n\nWhether the flag is set.")},
    {"isSet", &old_is_set, METH_NOARGS, PyDoc_STR("isSet($self)\n--\n\nThe old spelling of is_set().")},
    {"set", &set, METH_NOARGS, PyDoc_STR("set($self)\n--\n\nSet the flag and let every waiting thread go.")},
    {"clear", &clear, METH_NOARGS, PyDoc_STR("clear($self)\n--\n\nClear the flag.")},
    {"wait", as_method(&wait), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("wait($self, timeout=None)\n--\n\nWait until the flag is set; False on timeout.")},
    {"__getstate__", &refuse_pickle, METH_NOARGS, PyDoc_STR("__getstate__($self, /)\n--\n\n")},
    {kReinitsAfterFork ? "_at_fork_reinit" : "_reset_internal_locks", &reinit, METH_NOARGS,
     kReinitsAfterFork ? "_at_fork_reinit($self, /)\n--\n\n" : "_reset_internal_locks($self, /)\n--\n\n"},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {kDictGetter,
                        {"_flag", &get_flag, nullptr, nullptr, nullptr},
                        {"_cond", &get_cond, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyObject* make_event_type(PyObject* module) {
  return make_type<Instances>(module, {.name = "threading.Event",
                                       .doc = "Event()\n--\n\nA flag that threads wait for.",
                                       .flags = kPrimitiveFlags,
                                       .construct = &construct,
                                       .init = &init,
                                       .repr = kShowsState ? &repr : nullptr,
                                       .methods = methods,
                                       .getset = getset});
}

}  // namespace face
