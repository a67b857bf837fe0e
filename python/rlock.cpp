// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "objects.hpp"
#include "who.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

bool refuse_release() {
  PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
  return false;
}

void note_owner(RLockObject& self) { self.owner = PyThread_get_thread_ident(); }

PyObject* enter(PyObject* self) {
  if (!rlock_take(rlock_object(self))) return nullptr;
  Py_RETURN_TRUE;
}

PyObject* leave(PyObject* self) { return rlock_release(self, nullptr); }

PyObject* is_owned(PyObject* self, PyObject*) { return boolean(Embedding::is_owned(rlock_of(self))); }

PyObject* locked(PyObject* self, PyObject*) { return boolean(rlock_of(self).locked()); }

PyObject* recursion_count(PyObject* self, PyObject*) {
  const threading::RLock& lock = rlock_of(self);
  return PyLong_FromUnsignedLong(Embedding::is_owned(lock) ? Embedding::depth(lock) : 0);
}

// For a stdlib Condition over this lock: gives all levels back, and takes them again.
PyObject* release_save(PyObject* self, PyObject*) {
  RLockObject& object = rlock_object(self);
  if (!Embedding::is_owned(*object.held.core)) {
    refuse_release();
    return nullptr;
  }
  const unsigned long owner = object.owner;
  return Py_BuildValue("kk", static_cast<unsigned long>(Embedding::release_all(*object.held.core)), owner);
}

PyObject* acquire_restore(PyObject* self, PyObject* state) {
  unsigned long depth = 0;
  unsigned long owner = 0;
  if (!PyTuple_Check(state)) {
    PyErr_SetString(PyExc_TypeError, "_acquire_restore() takes what _release_save() returned");
    return nullptr;
  }
  if (!PyArg_ParseTuple(state, "kk:_acquire_restore", &depth, &owner)) return nullptr;
  threading::RLock& lock = rlock_of(self);
  if (!lock.try_lock()) {
    // Not broken off by an exception from a signal handler: the caller counts on the lock.
    without_gil([&lock] { return Embedding::acquire(lock, {}); });
  }
  if (Embedding::depth(lock) == 1 && depth != 0) Embedding::set_depth(lock, static_cast<std::uint32_t>(depth));
  rlock_object(self).owner = owner;
  Py_RETURN_NONE;
}

PyObject* reinit(PyObject* self, PyObject*) {
  Embedding::reset_after_fork(rlock_of(self));
  rlock_object(self).owner = 0;
  Py_RETURN_NONE;
}

PyObject* repr(PyObject* self) {
  const threading::RLock& lock = rlock_of(self);
  const bool held = lock.locked();
  return PyUnicode_FromFormat("<%s %s object owner=%lu count=%lu at %p>", held ? "locked" : "unlocked",
                              Py_TYPE(self)->tp_name, held ? rlock_object(self).owner : 0ul,
                              static_cast<unsigned long>(Embedding::depth(lock)), static_cast<void*>(self));
}

PyObject* create(PyTypeObject* type) {
  auto* const self = reinterpret_cast<RLockObject*>(type->tp_alloc(type, 0));
  if (self != nullptr) self->held.make();
  return reinterpret_cast<PyObject*>(self);
}

// Arguments are ignored, as the stdlib's type does; its factory warns.
PyObject* construct(PyTypeObject* type, PyObject*, PyObject*) { return create(type); }

int traverse(PyObject* self, visitproc visit, void* arg) { return visit_type(self, visit, arg); }

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  auto& lock = rlock_object(self);
  if (kLocksAreCollected) PyObject_GC_UnTrack(self);
  if (lock.weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  lock.held.destroy();
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"acquire", as_method(&rlock_acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire(blocking=True, timeout=-1) -> bool\n\nTake the lock, or one more level of it.")},
    {"release", &rlock_release, METH_NOARGS, PyDoc_STR("release()\n\nGive one level back. Only the owner may.")},
    {"_is_owned", &is_owned, METH_NOARGS, nullptr},
    {"_release_save", &release_save, METH_NOARGS, nullptr},
    {"_acquire_restore", &acquire_restore, METH_O, nullptr},
    {kReinitsAfterFork ? "_at_fork_reinit" : "_release_save", kReinitsAfterFork ? &reinit : &release_save, METH_NOARGS,
     nullptr},
    {kCountsRecursion ? "_recursion_count" : "_is_owned", kCountsRecursion ? &recursion_count : &is_owned, METH_NOARGS,
     nullptr},
    {kOwnersTellLocked ? "locked" : nullptr, &locked, METH_NOARGS, PyDoc_STR("locked() -> bool")},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                       {Py_tp_repr, as_slot(&repr)},
                       {Py_tp_new, as_slot(&construct)},
                       {Py_tp_methods, methods},
                       {Py_tp_doc, const_cast<char*>("A lock that its owner may acquire again.")},
                       {kLocksAreCollected ? Py_tp_traverse : 0, as_slot(&traverse)},
                       {0, nullptr}};

}  // namespace

bool rlock_take(RLockObject& self) {
  threading::RLock& lock = *self.held.core;
  note_thread();
  if (!lock.try_lock()) {
    if (Embedding::is_owned(lock)) {
      PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
      return false;
    }
    if (wait_for_lock(lock, Deadline::never()) < 0) return false;
  }
  note_owner(self);
  return true;
}

bool rlock_give_back(RLockObject& self) {
  if (!Embedding::is_owned(*self.held.core)) return refuse_release();
  self.held.core->unlock();
  return true;
}

PyObject* rlock_acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (count == 0 && names == nullptr) return enter(self);
  LockBound bound;
  if (!read_lock_bound(args, count, names, bound)) return nullptr;
  RLockObject& object = rlock_object(self);
  int taken = 1;
  note_thread();
  if (!object.held.core->try_lock()) {
    if (!bound.blocking || bound.nanoseconds == 0) Py_RETURN_FALSE;
    taken = wait_for_lock(*object.held.core, bound.deadline());
    if (taken < 0) return nullptr;
  }
  if (taken == 1) note_owner(object);
  return boolean(taken == 1);
}

PyObject* rlock_release(PyObject* self, PyObject*) {
  if (!rlock_give_back(rlock_object(self))) return nullptr;
  Py_RETURN_NONE;
}

bool is_rlock(PyObject* object) { return Py_TYPE(object)->tp_dealloc == &dealloc; }

PyObject* new_rlock(PyObject* module) {
  PyObject* const type = PyObject_GetAttrString(module, "RLock");
  if (type == nullptr) return nullptr;
  PyObject* const result = create(reinterpret_cast<PyTypeObject*>(type));
  Py_DECREF(type);
  return result;
}

PyObject* make_rlock_type(PyObject* module) {
  constexpr unsigned long flags =
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | (kLocksAreCollected ? Py_TPFLAGS_HAVE_GC : 0);
  PyType_Spec spec{"_thread.RLock", sizeof(RLockObject), 0, static_cast<unsigned>(flags), slots};
  TypeExtras extras;
  extras.weakrefs = offsetof(RLockObject, weakrefs);
  extras.enter = &enter;
  extras.exit = &leave;
  return make_type(module, spec, extras);
}

}  // namespace face
