// SPDX-License-Identifier: MIT
//
// The Python objects: a header, and the core object either inside it or in a block that C++ shares.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <threading/embedding.hpp>

#include "interpreter.hpp"

namespace face {

// Invariant: all zero is "not made yet". One pointer to the core object, so that no call asks where it lives.
template <class T>
struct Holder {
  T* core;
  std::shared_ptr<T>* shared;  // null: the core object lives in `room`
  alignas(T) unsigned char room[sizeof(T)];

  template <class... Args>
  void make(Args&&... args) {
    destroy();
    core = new (room) T(std::forward<Args>(args)...);
  }
  void adopt(std::shared_ptr<T> block) {
    destroy();
    shared = new std::shared_ptr<T>(std::move(block));
    core = shared->get();
  }
  void destroy() {
    if (shared != nullptr) {
      delete std::exchange(shared, nullptr);
    } else if (core != nullptr) {
      core->~T();
    }
    core = nullptr;
  }
};

struct LockObject {
  PyObject_HEAD Holder<threading::Lock> held;
  PyObject* weakrefs;
};

struct RLockObject {
  PyObject_HEAD Holder<threading::RLock> held;
  PyObject* weakrefs;
};

struct ConditionObject {
  PyObject_HEAD Holder<threading::Condition> held;
  PyObject* lock;     // a LockObject or an RLockObject; for any other lock, null
  PyObject* foreign;  // for any other lock: a Condition of the stdlib over it, which does everything
  bool over_lock;     // `lock` is a LockObject
  PyObject* dict;
  PyObject* weakrefs;
};

struct EventObject {
  PyObject_HEAD Holder<threading::Event> held;
  PyObject* cond;  // what `_cond` gave out: whoever holds it keeps set() and clear() waiting
  PyObject* dict;
  PyObject* weakrefs;
};

// Semaphore and BoundedSemaphore alike; `bounded` says which core object it is.
struct SemaphoreObject {
  PyObject_HEAD threading::detail::SemaphoreCore* core;
  std::shared_ptr<threading::Semaphore>* shared;
  std::shared_ptr<threading::BoundedSemaphore>* shared_bounded;
  bool bounded;
  alignas(threading::BoundedSemaphore) unsigned char room[sizeof(threading::BoundedSemaphore)];
  PyObject* dict;
  PyObject* weakrefs;

  threading::Semaphore& plain() { return *static_cast<threading::Semaphore*>(core); }
  threading::BoundedSemaphore& with_bound() { return *static_cast<threading::BoundedSemaphore*>(core); }
};

struct BarrierObject {
  PyObject_HEAD Holder<threading::Barrier> held;
  PyObject* action;
  PyObject* timeout;
  Py_ssize_t parties;  // as given: up to 3.12 nothing checks it
  PyObject* dict;
  PyObject* weakrefs;
};

// Types, by name; the module makes them. Each function returns a new reference or null with an exception set.
PyObject* make_lock_type(PyObject* module);
PyObject* make_rlock_type(PyObject* module);
PyObject* make_condition_type(PyObject* module);
PyObject* make_event_type(PyObject* module);
PyObject* make_semaphore_type(PyObject* module);
PyObject* make_bounded_semaphore_type(PyObject* module);
PyObject* make_barrier_type(PyObject* module);
PyObject* make_simple_queue_type(PyObject* module);
PyObject* make_queue_type(PyObject* module);
PyObject* make_lifo_queue_type(PyObject* module);
PyObject* make_priority_queue_type(PyObject* module);

// Whether an object is exactly one of ours; subclasses are not.
bool is_lock(PyObject* object);
bool is_rlock(PyObject* object);
inline threading::Lock& lock_of(PyObject* object) { return *reinterpret_cast<LockObject*>(object)->held.core; }
inline RLockObject& rlock_object(PyObject* object) { return *reinterpret_cast<RLockObject*>(object); }
inline threading::RLock& rlock_of(PyObject* object) { return *rlock_object(object).held.core; }

PyObject* new_lock(PyObject* module);
PyObject* new_rlock(PyObject* module);

// Python's acquire() and release() of exactly ours.
PyObject* lock_acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);
PyObject* lock_release(PyObject* self, PyObject*);
PyObject* rlock_acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);
PyObject* rlock_release(PyObject* self, PyObject*);

struct TypeExtras {
  Py_ssize_t dict = 0;
  Py_ssize_t weakrefs = 0;
  PyObject* (*enter)(PyObject*) = nullptr;  // __enter__, __exit__ without their arguments
  PyObject* (*exit)(PyObject*) = nullptr;
  PyObject* bases = nullptr;
  bool speaks_short = false;  // messages name the type without its module, as those of a class written in Python do
};
PyObject* make_type(PyObject* module, PyType_Spec& spec, const TypeExtras& extras);
// The same with one base: the type that the module has under that name.
PyObject* make_subtype(PyObject* module, PyType_Spec& spec, const char* base_name, TypeExtras extras);

// Puts __enter__ and __exit__ into the type.
bool add_context_methods(PyObject* module, PyObject* type, const TypeExtras& extras);
bool prepare_context_methods(PyObject* module);

// Attributes of the module `_core` of this interpreter. Each a new reference, or null with an exception set.
PyObject* module_attribute(const char* name);
// The stdlib's own class of this name, also while ours are installed.
PyObject* original(const char* name);

// `__dict__` of types whose instances have one.
inline constexpr PyGetSetDef kDictGetter{"__dict__", &PyObject_GenericGetDict, &PyObject_GenericSetDict, nullptr,
                                         nullptr};

template <class F>
PyCFunction as_method(F* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}
template <class F>
void* as_slot(F* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace face
