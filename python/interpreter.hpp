// SPDX-License-Identifier: MIT
//
// Python.h, and what differs between the interpreters it comes with, as data. No other C++ file asks for a version.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pythread.h>
#include <structmember.h>

namespace face {

inline constexpr int kVersion = PY_VERSION_HEX >> 16;  // 0x030B for 3.11

inline constexpr bool kLockIsAClass = kVersion >= 0x030D;         // before: a factory, and a type that refuses calls
inline constexpr bool kReinitsAfterFork = kVersion >= 0x0309;     // _at_fork_reinit(); before: _reset_internal_locks()
inline constexpr bool kNotifiesWholeNumbers = kVersion < 0x0309;  // Condition.notify(n)
inline constexpr bool kReleasesSeveral = kVersion >= 0x0309;      // Semaphore.release(n)
inline constexpr bool kDeprecatesCamelCase = kVersion >= 0x030A;  // notifyAll, isSet
inline constexpr bool kLooksInDictFirst = kVersion == 0x030B;     // calls of methods are fast only beside a __dict__
inline constexpr bool kShowsState = kVersion >= 0x030B;           // repr() of Event, Semaphore, Barrier
inline constexpr bool kCountsRecursion = kVersion >= 0x030B;      // RLock._recursion_count()
inline constexpr bool kKeepsFramesInPieces = kVersion >= 0x030B;  // of memory that a thread asks for and gives back
inline constexpr bool kStartsJoinably = kVersion >= 0x030D;       // _thread.start_joinable_thread()
inline constexpr bool kChecksParties = kVersion >= 0x030D;        // Barrier(0) is an error
inline constexpr bool kHasQueueShutdown = kVersion >= 0x030D;     // Queue.shutdown(), ShutDown
inline constexpr bool kOwnersTellLocked = kVersion >= 0x030E;     // RLock.locked(), Condition.locked()
inline constexpr bool kRejectsNan = kVersion >= 0x030E;           // in every timeout, not only in a lock's
inline constexpr bool kLocksAreCollected = kVersion >= 0x030A;    // lock and RLock take part in garbage collection

#if defined(Py_GIL_DISABLED)
inline constexpr bool kHasGil = false;
#else
inline constexpr bool kHasGil = true;
#endif

// `with` looks __enter__ and __exit__ up as attributes, which makes two objects each time; see context_method.cpp.
#if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)
#define FACE_CACHES_CONTEXT_METHODS 1
#else
#define FACE_CACHES_CONTEXT_METHODS 0
#endif

// Fields of a type that a PyType_Spec cannot set yet in 3.8 are set on the finished type.
#if PY_VERSION_HEX < 0x03090000
#define FACE_OFFSETS_BY_HAND 1
#define FACE_HAVE_VECTORCALL _Py_TPFLAGS_HAVE_VECTORCALL
#define FACE_NARGS(n) PyVectorcall_NARGS(static_cast<std::size_t>(n))
#else
#define FACE_OFFSETS_BY_HAND 0
#define FACE_HAVE_VECTORCALL Py_TPFLAGS_HAVE_VECTORCALL
#define FACE_NARGS(n) PyVectorcall_NARGS(n)
#endif

#if PY_VERSION_HEX >= 0x030A0000
inline constexpr unsigned long kNotCallable = Py_TPFLAGS_DISALLOW_INSTANTIATION;
#else
inline constexpr unsigned long kNotCallable = 0;
#endif

// A heap type is owned by its instances; from 3.9 on the collector must know.
inline int visit_type([[maybe_unused]] PyObject* self, [[maybe_unused]] visitproc visit, [[maybe_unused]] void* arg) {
#if PY_VERSION_HEX >= 0x03090000
  Py_VISIT(Py_TYPE(self));
#endif
  return 0;
}

// The module that made `type`.
inline PyObject* module_of(PyTypeObject* type) {
#if PY_VERSION_HEX >= 0x03090000
  return PyType_GetModule(type);
#else
  PyObject* const module = PyDict_GetItemString(type->tp_dict, "__threadingpp__");  // borrowed
  if (module == nullptr) PyErr_SetString(PyExc_SystemError, "a type of threadingpp without its module");
  return module;
#endif
}

inline PyObject* new_type(PyObject* module, PyType_Spec* spec, PyObject* bases) {
#if PY_VERSION_HEX >= 0x03090000
  return PyType_FromModuleAndSpec(module, spec, bases);
#else
  PyObject* const type = bases != nullptr ? PyType_FromSpecWithBases(spec, bases) : PyType_FromSpec(spec);
  if (type != nullptr && PyObject_SetAttrString(type, "__threadingpp__", module) < 0) {
    Py_DECREF(type);
    return nullptr;
  }
  return type;
#endif
}

// `count` positional arguments, then the named ones.
inline PyObject* call_vector(PyObject* callable, PyObject* const* args, Py_ssize_t count, PyObject* names) {
#if PY_VERSION_HEX >= 0x03090000
  return PyObject_Vectorcall(callable, args, static_cast<std::size_t>(count), names);
#else
  return _PyObject_Vectorcall(callable, args, static_cast<std::size_t>(count), names);
#endif
}

inline PyObject* new_reference(PyObject* object) {
  Py_INCREF(object);
  return object;
}

// The __dict__ of an object that is being made, where it should not wait until somebody asks for it.
// Returns: false with an exception set.
inline bool make_dict_early(PyObject*& dict) {
  if (kLooksInDictFirst) dict = PyDict_New();
  return !kLooksInDictFirst || dict != nullptr;
}

// Whether the interpreter is ending: from now on it ends every other thread that asks for the GIL. Wants no GIL itself.
inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

inline PyObject* boolean(bool value) { return new_reference(value ? Py_True : Py_False); }

}  // namespace face
