// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "object_type.hpp"
#include "who.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using Instances = face::Life<LockObject>;

bool is_shared(PyObject* self) { return reinterpret_cast<LockObject*>(self)->held.shared != nullptr; }

// So that the lock knows its owner's name, for dump().
bool take(threading::Lock& lock) {
  note_thread();
  return lock.try_lock();
}

// Not inlined, like acquire_with(): what a call needs that blocks would cost those that do not.
__attribute__((noinline)) PyObject* enter_slow(PyObject* self) {
  if (wait_for_lock(lock_of(self), is_shared(self), Deadline::never()) < 0) return nullptr;
  Py_RETURN_TRUE;
}

PyObject* enter(PyObject* self) {
  if (take(lock_of(self))) [[likely]]
    Py_RETURN_TRUE;
  return enter_slow(self);
}

__attribute__((noinline)) PyObject* acquire_with(PyObject* self, PyObject* const* args, Py_ssize_t count,
                                                 PyObject* names) {
  threading::Lock& lock = lock_of(self);
  LockBound bound;
  if (!read_lock_bound(args, count, names, bound)) return nullptr;
  if (take(lock)) Py_RETURN_TRUE;
  if (!bound.blocking || bound.nanoseconds == 0) Py_RETURN_FALSE;
  const int taken = wait_for_lock(lock, is_shared(self), bound.deadline());
  return taken < 0 ? nullptr : boolean(taken == 1);
}

PyObject* leave(PyObject* self) { return lock_release(self, nullptr); }

PyObject* locked(PyObject* self, PyObject*) { return boolean(lock_of(self).locked()); }

PyObject* reinit(PyObject* self, PyObject*) {
  Embedding::reset_after_fork(lock_of(self));
  Py_RETURN_NONE;
}

PyObject* repr(PyObject* self) {
  return PyUnicode_FromFormat("<%s %s object at %p>", lock_of(self).locked() ? "locked" : "unlocked",
                              Py_TYPE(self)->tp_name, static_cast<void*>(self));
}

PyObject* create(PyTypeObject* type) {
  auto* const self = reinterpret_cast<LockObject*>(type->tp_alloc(type, 0));
  if (self != nullptr) self->held.make();
  return reinterpret_cast<PyObject*>(self);
}

PyObject* construct([[maybe_unused]] PyTypeObject* type, PyObject* args, PyObject* names) {
  if (PyTuple_GET_SIZE(args) != 0 || (names != nullptr && PyDict_GET_SIZE(names) != 0)) {
    // The running interpreter's own words.
    PyObject* const lock = module_attribute("_stdlib_lock");
    PyObject* const result = lock != nullptr ? PyObject_Call(lock, args, names) : nullptr;
    Py_XDECREF(lock);
    Py_XDECREF(result);
    if (result != nullptr) PyErr_SetString(PyExc_TypeError, "lock() takes no arguments");
    return nullptr;
  }
  return create(type);
}

PyMethodDef methods[] = {
    {"acquire", as_method(&lock_acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire($self, /, blocking=True, timeout=-1)\n--\n\nLock the lock; wait for it if asked to.")},
    {"acquire_lock", as_method(&lock_acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire_lock($self, /, blocking=True, timeout=-1)\n--\n\nAn obsolete acquire().")},
    {"release", &lock_release, METH_NOARGS, PyDoc_STR("release($self, /)\n--\n\nUnlock the lock. Any thread may.")},
    {"release_lock", &lock_release, METH_NOARGS, PyDoc_STR("release_lock($self, /)\n--\n\nAn obsolete release().")},
    {"locked", &locked, METH_NOARGS, PyDoc_STR("locked($self, /)\n--\n\nWhether the lock is locked.")},
    {"locked_lock", &locked, METH_NOARGS, PyDoc_STR("locked_lock($self, /)\n--\n\nAn obsolete locked().")},
    {kReinitsAfterFork ? "_at_fork_reinit" : nullptr, &reinit, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* lock_acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (count == 0 && names == nullptr) [[likely]]
    return enter(self);
  return acquire_with(self, args, count, names);
}

PyObject* lock_release(PyObject* self, PyObject*) {
  threading::Lock& lock = lock_of(self);
  if (!lock.locked()) {
    PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
    return nullptr;
  }
  lock.unlock();
  Py_RETURN_NONE;
}

bool is_lock(PyObject* object) { return Instances::made(object); }

PyObject* new_lock(PyObject* module) {
  PyObject* const type = PyObject_GetAttrString(module, "lock");
  if (type == nullptr) return nullptr;
  PyObject* const result = create(reinterpret_cast<PyTypeObject*>(type));
  Py_DECREF(type);
  return result;
}

PyObject* make_lock_type(PyObject* module) {
  constexpr unsigned long flags = Py_TPFLAGS_DEFAULT | (kLocksAreCollected ? Py_TPFLAGS_HAVE_GC : 0);
  PyObject* const type =
      make_type<Instances>(module, {.name = "_thread.lock",
                                    .doc = "lock()\n--\n\nA lock that no thread owns: any thread may release it.",
                                    .flags = flags | (kLockIsAClass ? 0 : kNotCallable),
                                    .construct = &construct,
                                    .repr = &repr,
                                    .methods = methods,
                                    .enter = &enter,
                                    .exit = &leave});
  if (type == nullptr) return nullptr;
  if (!kLockIsAClass) {
    reinterpret_cast<PyTypeObject*>(type)->tp_new = nullptr;
    return type;
  }
  // Pickled by name; messages go on saying _thread.lock.
  PyObject* const home = PyUnicode_FromString("threading");
  PyObject* const name = PyUnicode_FromString("Lock");
  const bool done = home != nullptr && name != nullptr && PyObject_SetAttrString(type, "__module__", home) == 0 &&
                    PyObject_SetAttrString(type, "__qualname__", name) == 0;
  Py_XDECREF(home);
  Py_XDECREF(name);
  if (done) return type;
  Py_DECREF(type);
  return nullptr;
}

}  // namespace face
