// SPDX-License-Identifier: MIT
//
// The module `threadingpp._core`: names, types, state; no behaviour. Initialised in phases and without static types, so
// that every interpreter of a process may have its own.
#include <cstring>

#include "current_thread.hpp"
#include "frame_memory.hpp"
#include "objects.hpp"
#include "sharing.hpp"
#include "thread_handle.hpp"
#include "who.hpp"

namespace face {
namespace {

PyObject* allocate_lock(PyObject* module, PyObject*) { return new_lock(module); }

struct NamedType {
  const char* name;
  PyObject* (*make)(PyObject* module);
};

constexpr NamedType kTypes[] = {
    {"lock", &make_lock_type},
    {"RLock", &make_rlock_type},
    {"Condition", &make_condition_type},
    {"Event", &make_event_type},
    {"Semaphore", &make_semaphore_type},
    {"BoundedSemaphore", &make_bounded_semaphore_type},
    {"Barrier", &make_barrier_type},
    {"ThreadHandle", &make_thread_handle_type},
    {"_ThreadFinder", &make_thread_finder_type},
    {"SimpleQueue", &make_simple_queue_type},
    {"Queue", &make_queue_type},
    {"LifoQueue", &make_lifo_queue_type},
    {"PriorityQueue", &make_priority_queue_type},
};

PyMethodDef allocate_lock_method{"Lock", &allocate_lock, METH_NOARGS, PyDoc_STR("Lock() -> lock")};

bool add(PyObject* module, const char* name, PyObject* value) {
  if (value == nullptr) return false;
  const bool done = PyObject_SetAttrString(module, name, value) == 0;
  Py_DECREF(value);
  return done;
}

// The stdlib's lock answers for its errors. Found here, before anybody can replace `_thread`.
bool keep_stdlib_lock(PyObject* module) {
  PyObject* const thread = PyImport_ImportModule("_thread");
  if (thread == nullptr) return false;
  PyObject* const factory = PyObject_GetAttrString(thread, kLockIsAClass ? "lock" : "allocate_lock");
  Py_DECREF(thread);
  return add(module, "_stdlib_lock", factory);
}

// Pickled by name: as threading.Lock, which is what stands there once it is installed, and in any process.
bool add_lock_factory(PyObject* module) {
  PyObject* const home = PyUnicode_FromString("threading");
  if (home == nullptr) return false;
  PyObject* const factory = PyCFunction_NewEx(&allocate_lock_method, module, home);
  Py_DECREF(home);
  return add(module, "allocate_lock", factory);
}

// The idents of pending timers: addresses, as those of threads are, where the C library finds nothing but zeros should
// somebody hand one to it. As memory these cost nothing until then.
constexpr std::size_t kPendingIdents = std::size_t{1} << 18;
constexpr std::size_t kIdentStep = 8;
constexpr std::size_t kMostOfADescriptor = 8192;  // what a C library reads of a thread; bytes
alignas(64) char pending_idents[kPendingIdents * kIdentStep + kMostOfADescriptor];

// A tuple: the first, how many there are, how far apart.
PyObject* make_pending_idents() noexcept {
  return Py_BuildValue("(Knn)", static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(pending_idents)),
                       static_cast<Py_ssize_t>(kPendingIdents), static_cast<Py_ssize_t>(kIdentStep));
}

PyMethodDef functions[] = {{"make_current_thread", &make_current_thread, METH_VARARGS, nullptr},
                           {"shared", &make_shared_object, METH_VARARGS, nullptr},
                           {"waits", &list_waits, METH_NOARGS, PyDoc_STR("Who waits for what.")},
                           {nullptr, nullptr, 0, nullptr}};

int execute(PyObject* module) {
  keep_frame_memory();
  note_thread();  // it may go on in C++ alone
  if (!keep_stdlib_lock(module) || !add(module, "_originals", PyDict_New()) || !add(module, "_C_API", make_capsule())) {
    return -1;
  }
#if FACE_CACHES_CONTEXT_METHODS
  if (!prepare_context_methods(module)) return -1;
#endif
  for (const NamedType& type : kTypes) {
    if (!add(module, type.name, type.make(module))) return -1;
  }
  const bool is_main = PyThreadState_Get()->interp == PyInterpreterState_Main();
  if (!add(module, "in_main_interpreter", boolean(is_main))) return -1;
  if (!add(module, "pending_idents", make_pending_idents())) return -1;
  return add_lock_factory(module) && add(module, "LockType", PyObject_GetAttrString(module, "lock")) ? 0 : -1;
}

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, as_slot(&execute)},
#if PY_VERSION_HEX >= 0x030C0000
                                   {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
                                   {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
                                   {0, nullptr}};

PyModuleDef definition{PyModuleDef_HEAD_INIT,
                       "_core",
                       "The primitives of threading++.",
                       0,
                       functions,
                       module_slots,
                       nullptr,
                       nullptr,
                       nullptr};

}  // namespace

PyObject* make_type(PyObject* module, PyType_Spec& spec, const TypeExtras& extras) {
  constexpr std::size_t kMost = 24;
  PyType_Slot all[kMost];
  PyMemberDef members[3];
  std::size_t count = 0;
  for (const PyType_Slot* slot = spec.slots; slot->slot != 0; ++slot) all[count++] = *slot;
#if !FACE_OFFSETS_BY_HAND
  std::size_t member = 0;
  if (extras.dict != 0) members[member++] = {"__dictoffset__", T_PYSSIZET, extras.dict, READONLY, nullptr};
  if (extras.weakrefs != 0) members[member++] = {"__weaklistoffset__", T_PYSSIZET, extras.weakrefs, READONLY, nullptr};
  members[member] = {nullptr, 0, 0, 0, nullptr};
  if (member != 0) all[count++] = {Py_tp_members, members};
#else
  static_cast<void>(members);
#endif
  all[count] = {0, nullptr};
  PyType_Spec full = spec;
  full.slots = all;
  PyObject* const type = new_type(module, &full, extras.bases);
  if (type == nullptr) return nullptr;
  if (extras.speaks_short) {
    const char*& name = reinterpret_cast<PyTypeObject*>(type)->tp_name;
    name = std::strrchr(name, '.') + 1;
  }
#if FACE_OFFSETS_BY_HAND
  if (extras.dict != 0) reinterpret_cast<PyTypeObject*>(type)->tp_dictoffset = extras.dict;
  if (extras.weakrefs != 0) reinterpret_cast<PyTypeObject*>(type)->tp_weaklistoffset = extras.weakrefs;
#endif
  if (extras.enter == nullptr || add_context_methods(module, type, extras)) return type;
  Py_DECREF(type);
  return nullptr;
}

PyObject* make_subtype(PyObject* module, PyType_Spec& spec, const char* base_name, TypeExtras extras) {
  PyObject* const base = PyObject_GetAttrString(module, base_name);
  extras.bases = base != nullptr ? PyTuple_Pack(1, base) : nullptr;
  Py_XDECREF(base);
  if (extras.bases == nullptr) return nullptr;
  PyObject* const type = make_type(module, spec, extras);
  Py_DECREF(extras.bases);
  return type;
}

PyObject* module_attribute(const char* name) {
  PyObject* const module = PyImport_ImportModule("threadingpp._core");
  PyObject* const value = module != nullptr ? PyObject_GetAttrString(module, name) : nullptr;
  Py_XDECREF(module);
  return value;
}

PyObject* original(const char* name) {
  PyObject* const originals = module_attribute("_originals");
  if (originals == nullptr) return nullptr;
  PyObject* value = PyDict_GetItemString(originals, name);
  Py_XINCREF(value);
  Py_DECREF(originals);
  if (value != nullptr) return value;
  PyObject* const module = PyImport_ImportModule("threading");
  value = module != nullptr ? PyObject_GetAttrString(module, name) : nullptr;
  Py_XDECREF(module);
  return value;
}

}  // namespace face

extern "C" __attribute__((visibility("default"))) PyObject* PyInit__core() {
  return PyModuleDef_Init(&face::definition);
}
