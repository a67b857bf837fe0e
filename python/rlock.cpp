// SPDX-License-Identifier: MIT
#include "arguments.hpp"
#include "object_type.hpp"
#include "who.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using Instances = face::Life<RLockObject>;

PyObject* refuse_level() {
  PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
  return nullptr;
}

PyObject* refuse_release() {
  PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
  return nullptr;
}

// get_ident() of the owner; 0 for none, and for a thread that Python does not know.
unsigned long owner_of(const threading::RLock& lock) { return ident_of(Embedding::owner(lock)); }

bool is_shared(PyObject* self) { return rlock_object(self).held.shared != nullptr; }

// Not inlined, like acquire_with(): what a call needs that blocks would cost those that do not.
__attribute__((noinline)) PyObject* enter_slow(PyObject* self) {
  if (Embedding::is_owned(rlock_of(self))) return refuse_level();
  if (wait_for_lock(rlock_of(self), is_shared(self), Deadline::never()) < 0) return nullptr;
  Py_RETURN_TRUE;
}

// inline: else GCC 12 leaves acquire() a jump to it.
inline PyObject* enter(PyObject* self) {
  threading::RLock& lock = rlock_of(self);
  note_thread();  // so that the lock's token stands for it
  if (lock.try_lock()) [[likely]]
    Py_RETURN_TRUE;
  return enter_slow(self);
}

__attribute__((noinline)) PyObject* acquire_with(PyObject* self, PyObject* const* args, Py_ssize_t count,
                                                 PyObject* names) {
  threading::RLock& lock = rlock_of(self);
  LockBound bound;
  if (!read_lock_bound(args, count, names, bound)) return nullptr;
  note_thread();
  if (lock.try_lock()) Py_RETURN_TRUE;
  if (Embedding::is_owned(lock)) return refuse_level();
  if (!bound.blocking || bound.nanoseconds == 0) Py_RETURN_FALSE;
  const int taken = wait_for_lock(lock, is_shared(self), bound.deadline());
  return taken < 0 ? nullptr : boolean(taken == 1);
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
  threading::RLock& lock = rlock_of(self);
  if (!Embedding::is_owned(lock)) return refuse_release();
  const unsigned long owner = owner_of(lock);
  return Py_BuildValue("kk", static_cast<unsigned long>(Embedding::release_all(lock)), owner);
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
  Py_RETURN_NONE;
}

PyObject* reinit(PyObject* self, PyObject*) {
  Embedding::reset_after_fork(rlock_of(self));
  Py_RETURN_NONE;
}

PyObject* repr(PyObject* self) {
  const threading::RLock& lock = rlock_of(self);
  const bool held = lock.locked();
  return PyUnicode_FromFormat("<%s %s object owner=%lu count=%lu at %p>", held ? "locked" : "unlocked",
                              Py_TYPE(self)->tp_name, held ? owner_of(lock) : 0ul,
                              static_cast<unsigned long>(Embedding::depth(lock)), static_cast<void*>(self));
}

PyObject* create(PyTypeObject* type) {
  auto* const self = reinterpret_cast<RLockObject*>(type->tp_alloc(type, 0));
  if (self != nullptr) self->held.make();
  return reinterpret_cast<PyObject*>(self);
}

// Arguments are ignored, as the stdlib's type does; its factory warns.
PyObject* construct(PyTypeObject* type, PyObject*, PyObject*) { return create(type); }

PyMethodDef methods[] = {
    {"acquire", as_method(&rlock_acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire($self, /, blocking=True, timeout=-1)\n--\n\nTake the lock, or one more level of it.")},
    {"release", &rlock_release, METH_NOARGS,
     PyDoc_STR("release($self, /)\n--\n\nGive one level back. Only the owner may.")},
    {"_is_owned", &is_owned, METH_NOARGS, PyDoc_STR("_is_owned($self, /)\n--\n\n")},
    {"_release_save", &release_save, METH_NOARGS, PyDoc_STR("_release_save($self, /)\n--\n\n")},
    {"_acquire_restore", &acquire_restore, METH_O, PyDoc_STR("_acquire_restore($self, state, /)\n--\n\n")},
    {kReinitsAfterFork ? "_at_fork_reinit" : "_release_save", kReinitsAfterFork ? &reinit : &release_save, METH_NOARGS,
     nullptr},
    {kCountsRecursion ? "_recursion_count" : "_is_owned", kCountsRecursion ? &recursion_count : &is_owned, METH_NOARGS,
     nullptr},
    {kOwnersTellLocked ? "locked" : nullptr, &locked, METH_NOARGS,
     PyDoc_STR("locked($self, /)\n--\n\nWhether any thread owns the lock.")},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* rlock_acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (count == 0 && names == nullptr) [[likely]]
    return enter(self);
  return acquire_with(self, args, count, names);
}

PyObject* rlock_release(PyObject* self, PyObject*) {
  if (!Embedding::is_owned(rlock_of(self))) return refuse_release();
  rlock_of(self).unlock();
  Py_RETURN_NONE;
}

bool is_rlock(PyObject* object) { return Instances::made(object); }

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
  return make_type<Instances>(module, {.name = "_thread.RLock",
                                       .doc = "A lock that its owner may acquire again.",
                                       .flags = flags,
                                       .construct = &construct,
                                       .repr = &repr,
                                       .methods = methods,
                                       .enter = &enter,
                                       .exit = &leave});
}

}  // namespace face
