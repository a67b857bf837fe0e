// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "objects.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

EventObject& object_of(PyObject* self) { return *reinterpret_cast<EventObject*>(self); }
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
  if (kDeprecatesCamelCase &&
      PyErr_WarnEx(PyExc_DeprecationWarning, "isSet() is deprecated, use is_set() instead", 1) < 0) {
    return nullptr;
  }
  return is_set(self, nullptr);
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

PyObject* refuse_pickle(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "cannot pickle '_thread.lock' object");
  return nullptr;
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

PyObject* repr(PyObject* self) {
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(self));
  PyObject* const module = PyObject_GetAttrString(type, "__module__");
  PyObject* const name = PyObject_GetAttrString(type, "__qualname__");
  PyObject* result = nullptr;
  if (module != nullptr && name != nullptr) {
    result = PyUnicode_FromFormat("<%S.%S at %p: %s>", module, name, static_cast<void*>(self),
                                  event_of(self).is_set() ? "set" : "unset");
  }
  Py_XDECREF(module);
  Py_XDECREF(name);
  return result;
}

PyObject* construct(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* const self = type->tp_alloc(type, 0);
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

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(object_of(self).dict);
  Py_VISIT(object_of(self).cond);
  return visit_type(self, visit, arg);
}

int drop(PyObject* self) {
  Py_CLEAR(object_of(self).dict);
  Py_CLEAR(object_of(self).cond);
  return 0;
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (object_of(self).weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  drop(self);
  object_of(self).held.destroy();
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"is_set", &is_set, METH_NOARGS, PyDoc_STR("is_set() -> bool\n\nWhether the flag is set.")},
    {"isSet", &old_is_set, METH_NOARGS, PyDoc_STR("The old spelling of is_set().")},
    {"set", &set, METH_NOARGS, PyDoc_STR("set()\n\nSet the flag and let every waiting thread go.")},
    {"clear", &clear, METH_NOARGS, PyDoc_STR("clear()\n\nClear the flag.")},
    {"wait", as_method(&wait), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("wait(timeout=None) -> bool\n\nWait until the flag is set; False on timeout.")},
    {"__getstate__", &refuse_pickle, METH_NOARGS, nullptr},
    {kReinitsAfterFork ? "_at_fork_reinit" : "_reset_internal_locks", &reinit, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {kDictGetter,
                        {"_flag", &get_flag, nullptr, nullptr, nullptr},
                        {"_cond", &get_cond, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                       {Py_tp_new, as_slot(&construct)},
                       {Py_tp_init, as_slot(&init)},
                       {Py_tp_traverse, as_slot(&traverse)},
                       {Py_tp_clear, as_slot(&drop)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, getset},
                       {Py_tp_doc, const_cast<char*>("A flag that threads wait for.")},
                       {kShowsState ? Py_tp_repr : 0, as_slot(&repr)},
                       {0, nullptr}};

}  // namespace

PyObject* make_event_type(PyObject* module) {
  PyType_Spec spec{"threading.Event", sizeof(EventObject), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  TypeExtras extras;
  extras.dict = offsetof(EventObject, dict);
  extras.weakrefs = offsetof(EventObject, weakrefs);
  return make_type(module, spec, extras);
}

}  // namespace face
