// SPDX-License-Identifier: MIT
//
// One object, two languages: the primitives that Python programs use through the package `threadingpp`, seen from C++.
// A C++ thread that never takes the interpreter's lock (the GIL) may set an Event that Python waits for, and the
// reverse. Needs Python.h and nothing to link but this library; the package is found when import() is called.
//
//   from_python<Event>(object)   the Event inside a Python object. It lives as long as that object.
//   share<Event>(object)         the same as a shared_ptr that needs no Python at all, of an object made by
//                                to_python() or by threadingpp.shared()
//   to_python(shared)            a Python object around a shared one; the same object for the same one
//
// Lock, RLock, Condition, Event, Semaphore, BoundedSemaphore, Barrier, and python::Queue, whose items are told in
// threading/python_item.hpp. And Thread: of a Thread that Python started on this core C++ gets the core's, whose join()
// waits until the interpreter has nothing left of it (never join with the GIL held: the thread needs it to end); of a
// thread of C++ Python gets a handle with join(timeout=None), is_alive(), ident, name and daemon. Every Thread can be
// shared; TypeError is for those of the stdlib, main's and foreign ones. All three functions need the GIL; using what
// they return does not. A thread that holds a shared lock may take the GIL: Python code never waits for the lock while
// it holds the GIL.
#pragma once

#include <Python.h>

#include <cstdint>
#include <memory>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/python_item.hpp>
#include <threading/python_queue.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/thread.hpp>

namespace threading::inline v1::python {

enum class Kind : std::uint8_t { lock, rlock, condition, event, semaphore, bounded_semaphore, barrier, queue, thread };

inline constexpr std::uint32_t kTableVersion = 1;
inline constexpr const char* kCapsule = "threadingpp._core._C_API";

namespace detail {
// What the package offers, in a capsule. `size` tells how much of it there is: new functions come at the end.
struct Table {
  std::uint32_t version;
  std::uint32_t size;
  void* (*get)(PyObject* object, Kind kind);
  bool (*share)(PyObject* object, Kind kind, std::shared_ptr<void>* into);
  PyObject* (*wrap)(Kind kind, const std::shared_ptr<void>& block, PyObject* lock);
  void (*discard)(Held* held) noexcept;
};

template <class T>
struct KindOf;
template <>
struct KindOf<Lock> {
  static constexpr Kind value = Kind::lock;
};
template <>
struct KindOf<RLock> {
  static constexpr Kind value = Kind::rlock;
};
template <>
struct KindOf<Condition> {
  static constexpr Kind value = Kind::condition;
};
template <>
struct KindOf<Event> {
  static constexpr Kind value = Kind::event;
};
template <>
struct KindOf<Semaphore> {
  static constexpr Kind value = Kind::semaphore;
};
template <>
struct KindOf<BoundedSemaphore> {
  static constexpr Kind value = Kind::bounded_semaphore;
};
template <>
struct KindOf<Barrier> {
  static constexpr Kind value = Kind::barrier;
};

template <>
struct KindOf<Queue> {
  static constexpr Kind value = Kind::queue;
};

template <>
struct KindOf<Thread> {
  static constexpr Kind value = Kind::thread;
};

inline const Table*& table() noexcept {
  static const Table* found = nullptr;
  return found;
}
}  // namespace detail

// Finds the package. Call it once, when your module is initialised. Requires: the GIL.
// Returns: false with a Python exception set when the package is missing or of another version.
inline bool import() {
  PyObject* const module = PyImport_ImportModule("threadingpp._core");
  if (module == nullptr) return false;
  PyObject* const capsule = PyObject_GetAttrString(module, "_C_API");
  Py_DECREF(module);
  if (capsule == nullptr) return false;
  const auto* const found = static_cast<const detail::Table*>(PyCapsule_GetPointer(capsule, kCapsule));
  Py_DECREF(capsule);  // the table itself is static
  if (found == nullptr) return false;
  if (found->version != kTableVersion || found->size < sizeof(detail::Table)) {
    PyErr_SetString(PyExc_ImportError, "threadingpp is of another version than the header threading/python.hpp");
    return false;
  }
  detail::table() = found;
  return true;
}

// The core object of a Python object, which must outlive its use.
// Returns: null with TypeError set for an object of another type, with ValueError set for a Queue that Python made: it
// has no core object. Requires: the GIL; import() has succeeded.
template <class T>
T* from_python(PyObject* object) {
  return static_cast<T*>(detail::table()->get(object, detail::KindOf<T>::value));
}

// The core object by itself: it may outlive the Python object, and letting go of it needs no GIL.
// Returns: null with TypeError set for an object of another type, with ValueError set for one whose core object lives
// inside it, because Python made it: it cannot move under its waiters. Requires: as from_python().
template <class T>
std::shared_ptr<T> share(PyObject* object) {
  std::shared_ptr<void> block;
  if (!detail::table()->share(object, detail::KindOf<T>::value, &block)) return nullptr;
  return std::static_pointer_cast<T>(block);
}

// A Python object as an item of a Queue. Requires: as from_python().
inline Item item(PyObject* object) { return Item::from_python(object, detail::table()->discard); }

// A Python object for a core object; asked again while that object lives, the same one.
// Returns: a new reference, or null with an exception set. Requires: as from_python().
template <class T>
PyObject* to_python(const std::shared_ptr<T>& object) {
  return detail::table()->wrap(detail::KindOf<T>::value, object, nullptr);
}
// A Condition over a shared RLock, whose Python object shows it as its lock.
inline PyObject* to_python(const std::shared_ptr<Condition>& condition, const std::shared_ptr<RLock>& lock) {
  PyObject* const wrapped = to_python(lock);
  if (wrapped == nullptr) return nullptr;
  PyObject* const result = detail::table()->wrap(Kind::condition, condition, wrapped);
  Py_DECREF(wrapped);
  return result;
}

}  // namespace threading::inline v1::python
