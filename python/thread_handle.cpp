// SPDX-License-Identifier: MIT
//
// A thread that Python started is a thread of the core whose OS thread comes from `_thread`: that keeps the
// interpreter's own books (how many threads there are, which interpreter allows them, that none starts during
// shutdown), and costs nothing that could be measured against a pthread of our own.
//
// Start    one C call, during which the GIL does not change hands: the core's thread is begun, the OS thread made, the
//          Thread registered under its ident. So whoever runs next, be it the new thread, finds all of it done.
// End      run() returns, `_thread` deletes the thread state and lets the GIL go, and then the OS thread's exit hook
//          ends the core's thread. So joiners wake when nothing of the thread is left that the interpreter could miss,
//          and find the GIL free.
// As lock  up to 3.12 `threading` keeps a lock for each thread, which is locked while the thread lives. The handle is
//          that lock: acquire() waits for the end; `taken` is set between acquire() and release() after the end.
//
// run_thread() may be left by a forced unwind at exit: nothing in it has a destructor.
#include "thread_handle.hpp"

#include <sched.h>

#include "arguments.hpp"
#include "objects.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using threading::Thread;

struct HandleObject {
  PyObject_HEAD Thread* thread;  // in `room`; null: not made yet
  bool taken;
  PyObject* weakrefs;
  alignas(Thread) unsigned char room[sizeof(Thread)];
};

HandleObject& object_of(PyObject* self) { return *reinterpret_cast<HandleObject*>(self); }
const Thread& thread_of(PyObject* self) { return *object_of(self).thread; }

bool is_done(PyObject* self) { return Embedding::is_started(thread_of(self)) && !thread_of(self).is_alive(); }

// Returns: 1 the thread has ended, 0 timed out, -1 with an exception set.
int wait_for_end(PyObject* self, Deadline deadline) {
  if (is_done(self)) return 1;
  if (deadline == Deadline::passed()) return 0;
  const Thread& thread = thread_of(self);
  HandledWait waiting(deadline);
  const Outcome outcome = waiting.run([&thread](const Embedding::Wait& bound) {
    // A short thread that shares the joiner's processor is done when this returns, and nobody has to be woken.
    sched_yield();
    return thread.is_alive() ? Embedding::wait_for_end(thread, bound) : Outcome::ok;
  });
  if (waiting.raised()) return -1;
  return outcome == Outcome::ok ? 1 : 0;
}

PyObject* raise_runtime_error(const char* text) {
  PyErr_SetString(PyExc_RuntimeError, text);
  return nullptr;
}

// None: for ever; negative: has passed; else as a lock's. Returns: false with an exception set.
bool read_join_timeout(PyObject* timeout, Deadline& deadline) {
  deadline = Deadline::never();
  if (timeout == nullptr || timeout == Py_None) return true;
  PyObject* const zero = PyLong_FromLong(0);
  if (zero == nullptr) return false;
  const int is_negative = PyObject_RichCompareBool(timeout, zero, Py_LT);
  Py_DECREF(zero);
  deadline = Deadline::passed();
  if (is_negative != 0) return is_negative > 0;
  PyObject* const args[] = {Py_True, timeout};
  LockBound bound;
  if (!read_lock_bound(args, 2, nullptr, bound)) return false;
  if (bound.nanoseconds != 0) deadline = bound.deadline();
  return true;
}

constexpr const char* kJoinParameters[] = {"timeout"};

PyObject* join(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* timeout = nullptr;
  if (count == 1 && names == nullptr) {
    timeout = args[0];
  } else if ((count != 0 || names != nullptr) &&
             !read_arguments("join", args, count, names, kJoinParameters, 1, &timeout)) {
    return nullptr;
  }
  if (!Embedding::is_started(thread_of(self))) return raise_runtime_error("cannot join thread before it is started");
  if (Embedding::is_current(thread_of(self))) return raise_runtime_error("cannot join current thread");
  Deadline deadline = Deadline::never();
  if (!read_join_timeout(timeout, deadline) || wait_for_end(self, deadline) < 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  LockBound bound;
  if (!read_lock_bound(args, count, names, bound)) return nullptr;
  const int ended = wait_for_end(self, bound.deadline());
  if (ended < 0) return nullptr;
  if (ended != 0) object_of(self).taken = true;
  return boolean(ended != 0);
}

PyObject* set_done(PyObject* self, PyObject*) {
  object_of(self).taken = false;
  Embedding::finish(thread_of(self));
  Py_RETURN_NONE;
}

PyObject* release(PyObject* self, PyObject*) {
  if (is_done(self) && !object_of(self).taken) return raise_runtime_error("release unlocked lock");
  return set_done(self, nullptr);
}

PyObject* is_started_method(PyObject* self, PyObject*) { return boolean(Embedding::is_started(thread_of(self))); }
PyObject* is_done_method(PyObject* self, PyObject*) { return boolean(is_done(self)); }
PyObject* is_alive(PyObject* self, PyObject*) {
  return boolean(Embedding::is_started(thread_of(self)) && (object_of(self).taken || !is_done(self)));
}
PyObject* nothing(PyObject*, PyObject*) { Py_RETURN_NONE; }

PyObject* native_id(PyObject* self, PyObject*) {
  if (!Embedding::is_started(thread_of(self))) Py_RETURN_NONE;
  const Thread& thread = thread_of(self);
  const long id = without_gil([&thread]() -> long { return thread.native_id().value_or(0); });
  if (id == 0) Py_RETURN_NONE;
  return PyLong_FromLong(id);
}

PyObject* get_ident(PyObject* self, void*) {
  const std::optional<threading::Ident> ident = thread_of(self).ident();
  if (!ident) Py_RETURN_NONE;
  return PyLong_FromUnsignedLong(static_cast<unsigned long>(*ident));
}

PyObject* get_name(PyObject* self, void*) {
  const std::string name = thread_of(self).name();
  return PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "replace");
}

PyObject* get_daemon(PyObject* self, void*) { return boolean(thread_of(self).daemon()); }

// --- the start ---

// The first Python call of the new thread. self is (handle, what to call).
PyObject* run_thread(PyObject* self, PyObject*) {
  Embedding::enter(thread_of(PyTuple_GET_ITEM(self, 0)));
  introduce_thread();  // not note_thread(): the token may be one that an older thread had
  return PyObject_CallObject(PyTuple_GET_ITEM(self, 1), nullptr);
}

PyMethodDef run_thread_method{"run_thread", &run_thread, METH_NOARGS, nullptr};

PyObject* make_entry(PyObject* handle, PyObject* bootstrap) {
  PyObject* const self = PyTuple_Pack(2, handle, bootstrap);
  if (self == nullptr) return nullptr;
  PyObject* const entry = PyCFunction_New(&run_thread_method, self);
  Py_DECREF(self);
  return entry;
}

// starter(entry, ()) up to 3.12, starter(entry, daemon=daemon) later. Returns: the ident, or null with an exception
// set.
PyObject* make_os_thread(PyObject* starter, PyObject* entry, PyObject* daemon) {
  PyObject* const args = kStartsJoinably ? PyTuple_Pack(1, entry) : Py_BuildValue("(O())", entry);
  PyObject* const names = kStartsJoinably ? Py_BuildValue("{sO}", "daemon", daemon) : nullptr;
  PyObject* result = nullptr;
  if (args != nullptr && (names != nullptr || !kStartsJoinably)) result = PyObject_Call(starter, args, names);
  Py_XDECREF(args);
  Py_XDECREF(names);
  if (!kStartsJoinably || result == nullptr) return result;
  PyObject* const ident = PyObject_GetAttrString(result, "ident");
  Py_DECREF(result);
  return ident;
}

// Registers the Thread as the interpreter's `threading` does, without a step at which another thread could run.
bool register_thread(PyObject* thread, PyObject* registry, PyObject* ident) {
  PyObject* const name = PyUnicode_InternFromString("_ident");
  const bool done = name != nullptr && PyDict_SetItem(registry, ident, thread) == 0 &&
                    PyObject_GenericSetAttr(thread, name, ident) == 0;
  Py_XDECREF(name);
  return done;
}

// _start(starter, thread, registry, daemon)
PyObject* start(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 4 || !PyDict_Check(args[2])) {
    PyErr_SetString(PyExc_TypeError, "_start() takes a starter, a Thread, its registry and whether it is a daemon");
    return nullptr;
  }
  PyObject* const bootstrap = PyObject_GetAttrString(args[1], "_bootstrap");
  if (bootstrap == nullptr) return nullptr;
  PyObject* const entry = make_entry(self, bootstrap);
  Py_DECREF(bootstrap);
  if (entry == nullptr) return nullptr;
  if (!Embedding::begin(thread_of(self))) {
    Py_DECREF(entry);
    return raise_runtime_error("threads can only be started once");
  }
  PyObject* const ident = make_os_thread(args[0], entry, args[3]);
  Py_DECREF(entry);
  if (ident == nullptr) {
    Embedding::take_back(thread_of(self));
    return nullptr;
  }
  Embedding::set_ident(thread_of(self), PyLong_AsUnsignedLong(ident));
  const bool done = register_thread(args[1], args[2], ident);
  Py_DECREF(ident);
  if (!done) return nullptr;
  Py_RETURN_NONE;
}

// --- the type ---

PyObject* create(PyTypeObject* type) { return type->tp_alloc(type, 0); }

constexpr const char* kParameters[] = {"daemon"};

// ThreadHandle(daemon=False)
PyObject* construct(PyTypeObject* type, PyObject* args, PyObject* names) {
  int daemon = 0;
  char* parameters[] = {const_cast<char*>(kParameters[0]), nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, names, "|p:ThreadHandle", parameters, &daemon)) return nullptr;
  PyObject* const self = create(type);
  if (self == nullptr) return nullptr;
  try {
    object_of(self).thread = new (object_of(self).room) Thread(Embedding::new_thread(daemon != 0));
  } catch (const std::bad_alloc&) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return self;
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  if (object_of(self).weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  if (object_of(self).thread != nullptr) object_of(self).thread->~Thread();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* repr(PyObject* self) {
  const Thread& thread = thread_of(self);
  const std::optional<threading::Ident> ident = thread.ident();
  const char* const state = !Embedding::is_started(thread) ? "initial" : is_done(self) ? "stopped" : "started";
  return PyUnicode_FromFormat("<%s %s %lu>", Py_TYPE(self)->tp_name, state,
                              static_cast<unsigned long>(ident.value_or(0)));
}

PyMethodDef methods[] = {
    {"join", as_method(&join), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("join(timeout=None)\n\nWait until nothing of the thread is left.")},
    {"is_started", &is_started_method, METH_NOARGS, PyDoc_STR("Whether the thread was started.")},
    {"is_alive", &is_alive, METH_NOARGS, PyDoc_STR("Whether the thread was started and has not ended.")},
    {"is_done", &is_done_method, METH_NOARGS, PyDoc_STR("Whether the thread has ended.")},
    {"native_id", &native_id, METH_NOARGS, PyDoc_STR("The system's number of the thread; None before its start.")},
    {"_start", as_method(&start), METH_FASTCALL, nullptr},
    {"_set_done", &set_done, METH_NOARGS, nullptr},
    {"acquire", as_method(&acquire), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"release", &release, METH_NOARGS, nullptr},
    {"locked", &is_alive, METH_NOARGS, nullptr},
    {"_at_fork_reinit", &nothing, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {{"ident", &get_ident, nullptr, "get_ident() of the thread; None before its start.", nullptr},
                        {"name", &get_name, nullptr, "The name that C++ knows the thread by.", nullptr},
                        {"daemon", &get_daemon, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                       {Py_tp_repr, as_slot(&repr)},
                       {Py_tp_new, as_slot(&construct)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, getset},
                       {Py_tp_doc, const_cast<char*>("A thread of the core, started by Python or by C++.")},
                       {0, nullptr}};

bool is_handle(PyObject* object) { return Py_TYPE(object)->tp_dealloc == &dealloc; }

}  // namespace

PyObject* make_thread_handle_type(PyObject* module) {
  PyType_Spec spec{"threadingpp._core.ThreadHandle", sizeof(HandleObject), 0, Py_TPFLAGS_DEFAULT, slots};
  TypeExtras extras;
  extras.weakrefs = offsetof(HandleObject, weakrefs);
  return make_type(module, spec, extras);
}

PyObject* wrap_thread(const Thread& thread) {
  PyObject* const type = module_attribute("ThreadHandle");
  if (type == nullptr) return nullptr;
  PyObject* const self = create(reinterpret_cast<PyTypeObject*>(type));
  Py_DECREF(type);
  if (self != nullptr) object_of(self).thread = new (object_of(self).room) Thread(thread);
  return self;
}

const Thread* thread_behind(PyObject* object) {
  if (is_handle(object)) return &thread_of(object);
  PyObject* const handle = PyObject_GetAttrString(object, "_core_handle");
  if (handle == nullptr && !PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  const Thread* const found = handle != nullptr && is_handle(handle) ? &thread_of(handle) : nullptr;
  Py_XDECREF(handle);  // the object keeps it
  PyErr_Clear();
  if (found == nullptr) {
    PyErr_Format(PyExc_TypeError, "expected a Thread of threadingpp, got %s", Py_TYPE(object)->tp_name);
  }
  return found;
}

}  // namespace face
