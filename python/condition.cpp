// SPDX-License-Identifier: MIT
//
// A Condition over exactly our Lock or RLock is the core's. Over any other object with acquire() and release() it holds
// a Condition of the stdlib over that object, and passes everything on.

#include "arguments.hpp"
#include "object_type.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

using Instances = face::Life<ConditionObject, &ConditionObject::dict, &ConditionObject::foreign>;

bool is_exact(PyObject* self) { return Instances::plain(self); }

ConditionObject& object_of(PyObject* self) { return Instances::of(self); }

PyObject* call(PyObject* object, const char* method, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* const bound = PyObject_GetAttrString(object, method);
  if (bound == nullptr) return nullptr;
  PyObject* const result = call_vector(bound, args, count, names);
  Py_DECREF(bound);
  return result;
}
PyObject* call(PyObject* object, const char* method) { return call(object, method, nullptr, 0, nullptr); }

// Whether __init__ has run. Returns: false with AttributeError set.
bool is_made(const ConditionObject& self) {
  if (self.lock != nullptr) return true;
  PyErr_SetString(PyExc_AttributeError, "'Condition' object has no attribute '_lock'");
  return false;
}

bool is_owned(const ConditionObject& self) {
  return self.over_lock ? lock_of(self.lock).locked() : Embedding::is_owned(rlock_of(self.lock));
}

PyObject* acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.lock, "acquire", args, count, names);
  return object.over_lock ? lock_acquire(object.lock, args, count, names)
                          : rlock_acquire(object.lock, args, count, names);
}

PyObject* release(PyObject* self, PyObject*) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.lock, "release");
  return object.over_lock ? lock_release(object.lock, nullptr) : rlock_release(object.lock, nullptr);
}

PyObject* enter(PyObject* self) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.lock, "__enter__");
  return acquire(self, nullptr, 0, nullptr);
}

PyObject* leave(PyObject* self) {
  const ConditionObject& object = object_of(self);
  if (object.foreign == nullptr) return release(self, nullptr);
  PyObject* const nothing[] = {Py_None, Py_None, Py_None};
  return call(object.lock, "__exit__", nothing, 3, nullptr);
}

// Last thing before the GIL is taken back, which may end this thread now: nobody could release what it was given.
void let_go_at_the_end(threading::Condition& condition, Embedding::ConditionWait& waited) {
  if (is_finalizing()) Embedding::let_go(condition, waited);
}

void take_back(threading::Condition& condition, Embedding::ConditionWait waited) {
  while (!Embedding::try_take_back(condition, waited)) {
    without_gil([&condition, &waited] {
      Embedding::take_back(condition, waited);
      waited.owns = true;
      let_go_at_the_end(condition, waited);
      return 0;
    });
  }
}

// Gives the lock back and takes it again, as a wait that has timed out before it began.
void poll(ConditionObject& self) {
  std::uint32_t depth = 0;  // nothing is counted of a single level
  if (self.over_lock) {
    lock_of(self.lock).unlock();
  } else {
    const std::uint32_t levels = Embedding::release_all(rlock_of(self.lock));
    if (levels != 1) depth = levels;
  }
  take_back(*self.held.core, {.outcome = Outcome::timed_out, .owns = false, .is_early = false, .depth = depth});
}

// Requires: the lock is held. Returns: 1 notified, 0 timed out, -1 a signal handler raised. The lock is held again.
int wait_until(ConditionObject& self, Deadline deadline) {
  if (deadline == Deadline::passed()) {
    poll(self);
    return 0;
  }
  threading::Condition& condition = *self.held.core;
  // The GIL goes before the lock does, and comes back before it: whoever wakes us by releasing the lock does not find
  // the GIL taken by the one it woke.
  HandledWait waiting(deadline);
  const auto waited = waiting.run([&condition](const Embedding::Wait& bound) {
    auto result = Embedding::wait_released(condition, bound);
    let_go_at_the_end(condition, result);
    return result;
  });
  take_back(condition, waited);
  if (waiting.raised()) return -1;
  return waited.outcome == Outcome::ok ? 1 : 0;
}

bool refuse_wait(const ConditionObject& self) {
  if (is_owned(self)) return false;
  PyErr_SetString(PyExc_RuntimeError, "cannot wait on un-acquired lock");
  return true;
}

constexpr const char* kWaitParameters[] = {"timeout"};
constexpr const char* kWaitForParameters[] = {"predicate", "timeout"};
constexpr const char* kNotifyParameters[] = {"n"};

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "wait", args, count, names);
  PyObject* timeout = nullptr;
  if (!read_arguments("Condition.wait", args, count, names, kWaitParameters, 1, &timeout)) return nullptr;
  Deadline deadline = Deadline::never();
  if (refuse_wait(object) || !read_timeout(timeout, deadline)) return nullptr;
  const int notified = wait_until(object, deadline);
  return notified < 0 ? nullptr : boolean(notified == 1);
}

// One round of wait_for(). A subclass may have its own wait(): it is given `timeout`, or if that is null what is left.
bool wait_once(PyObject* self, bool exact, Deadline deadline, PyObject* timeout) {
  if (exact) return !refuse_wait(object_of(self)) && wait_until(object_of(self), deadline) >= 0;
  PyObject* seconds = new_reference(timeout != nullptr ? timeout : Py_None);
  if (timeout == nullptr && !deadline.is_never()) {
    const bool passed = deadline == Deadline::passed();
    const std::int64_t left = passed ? 0 : deadline.nanoseconds() - threading::detail::backend::monotonic_now();
    Py_DECREF(seconds);
    seconds = PyFloat_FromDouble(static_cast<double>(left) * 1e-9);
    if (seconds == nullptr) return false;
  }
  PyObject* const result = call(self, "wait", &seconds, 1, nullptr);
  Py_DECREF(seconds);
  Py_XDECREF(result);
  return result != nullptr;
}

PyObject* wait_for(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (!is_made(object_of(self))) return nullptr;
  if (object_of(self).foreign != nullptr) return call(object_of(self).foreign, "wait_for", args, count, names);
  PyObject* values[2];
  if (!read_arguments("Condition.wait_for", args, count, names, kWaitForParameters, 2, values)) return nullptr;
  if (values[0] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "wait_for() missing 1 required positional argument: 'predicate'");
    return nullptr;
  }
  const bool exact = is_exact(self);
  Deadline deadline = Deadline::never();
  bool started = false;
  for (;;) {
    PyObject* const result = PyObject_CallObject(values[0], nullptr);
    if (result == nullptr) return nullptr;
    const int truth = PyObject_IsTrue(result);
    if (truth > 0 || (truth == 0 && started && deadline.expired())) return result;
    Py_DECREF(result);
    if (truth < 0 || (!started && !can_be_added(values[1]))) return nullptr;
    if (!started && exact && refuse_wait(object_of(self))) return nullptr;
    if (!started && !read_timeout(values[1], deadline)) return nullptr;
    if (!wait_once(self, exact, deadline, started ? nullptr : values[1])) return nullptr;
    started = true;
  }
}

// By the function that the stdlib's notify() puts it to, which has the words. Returns: false with an exception set.
bool is_whole_number(PyObject* n) {
  PyObject* const module = PyImport_ImportModule("itertools");
  PyObject* const slice = module != nullptr ? PyObject_CallMethod(module, "islice", "()O", n) : nullptr;
  Py_XDECREF(module);
  Py_XDECREF(slice);
  return slice != nullptr;
}

PyObject* notify(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "notify", args, count, names);
  PyObject* n = nullptr;
  if (!read_arguments("Condition.notify", args, count, names, kNotifyParameters, 1, &n)) return nullptr;
  if (!is_owned(object)) {
    PyErr_SetString(PyExc_RuntimeError, "cannot notify on un-acquired lock");
    return nullptr;
  }
  threading::Condition& condition = *object.held.core;
  if (kNotifiesWholeNumbers && n != nullptr && !is_whole_number(n)) return nullptr;
  if (n == nullptr) {
    condition.notify(1);
  } else if (Embedding::waiters(condition) != 0) {
    const int some = compares(n, Py_GT, 0);
    if (some < 0) return nullptr;
    const double wanted = some == 1 ? PyFloat_AsDouble(n) : 0;  // a number of any kind is enough for the stdlib
    if (wanted == -1 && PyErr_Occurred()) PyErr_Clear();
    if (wanted > 0) condition.notify(wanted < 1e9 ? static_cast<std::size_t>(wanted) : SIZE_MAX);
  }
  Py_RETURN_NONE;
}

PyObject* notify_all(PyObject* self, PyObject*) {
  ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "notify_all");
  if (!is_exact(self)) {  // it may have its own notify()
    return PyObject_CallMethod(self, "notify", "n", static_cast<Py_ssize_t>(Embedding::waiters(*object.held.core)));
  }
  if (!is_owned(object)) {
    PyErr_SetString(PyExc_RuntimeError, "cannot notify on un-acquired lock");
    return nullptr;
  }
  object.held.core->notify_all();
  Py_RETURN_NONE;
}

PyObject* old_notify_all(PyObject* self, PyObject*) {
  if (!accept_old_name("notifyAll() is deprecated, use notify_all() instead")) return nullptr;
  // By name, since it is no mere alias any more: a subclass may have its own.
  return kDeprecatesCamelCase ? call(self, "notify_all") : notify_all(self, nullptr);
}

// What a lock offers under these names, a condition over it offers too.
PyObject* owned(PyObject* self, PyObject*) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "_is_owned");
  return boolean(is_owned(object));
}

PyObject* release_save(PyObject* self, PyObject*) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "_release_save");
  return object.over_lock ? lock_release(object.lock, nullptr) : call(object.lock, "_release_save");
}

PyObject* acquire_restore(PyObject* self, PyObject* state) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "_acquire_restore", &state, 1, nullptr);
  return object.over_lock ? lock_acquire(object.lock, nullptr, 0, nullptr)
                          : call(object.lock, "_acquire_restore", &state, 1, nullptr);
}

PyObject* locked(PyObject* self, PyObject*) {
  const ConditionObject& object = object_of(self);
  return is_made(object) ? call(object.lock, "locked") : nullptr;
}

PyObject* reinit(PyObject* self, PyObject*) {
  ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return call(object.foreign, "_at_fork_reinit");
  Embedding::reset_after_fork(*object.held.core);
  return call(object.lock, "_at_fork_reinit");
}

// It is the lock inside that cannot be pickled.
PyObject* refuse_to_pickle_lock(PyObject* self, PyObject*) {
  if (!is_made(object_of(self))) return nullptr;
  PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", Py_TYPE(object_of(self).lock)->tp_name);
  return nullptr;
}

PyObject* get_lock(PyObject* self, void*) {
  const ConditionObject& object = object_of(self);
  return is_made(object) ? new_reference(object.lock) : nullptr;
}

// A view: as many as wait.
PyObject* get_waiters(PyObject* self, void*) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return PyObject_GetAttrString(object.foreign, "_waiters");
  const auto count = static_cast<Py_ssize_t>(Embedding::waiters(*object.held.core));
  PyObject* const view = PyTuple_New(count);
  for (Py_ssize_t i = 0; view != nullptr && i != count; ++i) PyTuple_SET_ITEM(view, i, new_reference(Py_None));
  return view;
}

PyObject* repr(PyObject* self) {
  const ConditionObject& object = object_of(self);
  if (!is_made(object)) return nullptr;
  if (object.foreign != nullptr) return PyObject_Repr(object.foreign);
  return PyUnicode_FromFormat("<Condition(%R, %zd)>", object.lock,
                              static_cast<Py_ssize_t>(Embedding::waiters(*object.held.core)));
}

// The type in this module that `type` is or derives from.
PyTypeObject* base_of(PyTypeObject* type) {
  while (type->tp_dealloc != &Instances::dealloc) type = type->tp_base;
  return type;
}

bool adopt(ConditionObject& self, PyObject* lock) {
  self.over_lock = is_lock(lock);
  if (self.over_lock) {
    self.held.make(lock_of(lock));
  } else if (is_rlock(lock)) {
    self.held.make(rlock_of(lock));
  } else {
    PyObject* const type = original("Condition");
    PyObject* const foreign = type != nullptr ? PyObject_CallFunctionObjArgs(type, lock, nullptr) : nullptr;
    Py_XDECREF(type);
    if (foreign == nullptr) return false;
    Py_XSETREF(self.foreign, foreign);
  }
  Py_INCREF(lock);
  Py_XSETREF(self.lock, lock);
  return true;
}

int init(PyObject* self, PyObject* args, PyObject* names) {
  static const char* keywords[] = {"lock", nullptr};
  PyObject* lock = Py_None;
  if (PyTuple_GET_SIZE(args) != 0 || names != nullptr) {
    if (!PyArg_ParseTupleAndKeywords(args, names, "|O:Condition", const_cast<char**>(keywords), &lock)) return -1;
  }
  ConditionObject& object = object_of(self);
  Py_CLEAR(object.foreign);
  if (lock != Py_None) return adopt(object, lock) ? 0 : -1;
  PyObject* const module = module_of(base_of(Py_TYPE(self)));
  PyObject* const own = module != nullptr ? new_rlock(module) : nullptr;
  if (own == nullptr) return -1;
  const bool done = adopt(object, own);
  Py_DECREF(own);
  return done ? 0 : -1;
}

PyMethodDef methods[] = {
    {"acquire", as_method(&acquire), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("acquire($self, /, blocking=True, timeout=-1)\n--\n\nTake the lock; see its acquire().")},
    {"release", &release, METH_NOARGS, PyDoc_STR("release($self, /)\n--\n\nGive the lock back.")},
    {"wait", as_method(&wait), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("wait($self, timeout=None)\n--\n\nRelease the lock, wait to be notified, take the lock again.")},
    {"wait_for", as_method(&wait_for), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR(
         "wait_for($self, predicate, timeout=None)\n--\n\nWait until the predicate is true; return its last value.")},
    {"notify", as_method(&notify), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("notify($self, n=1)\n--\n\nWake up to n of the threads that wait, those first that wait longest.")},
    {"notify_all", &notify_all, METH_NOARGS, PyDoc_STR("notify_all($self)\n--\n\nWake all threads that wait.")},
    {"notifyAll", &old_notify_all, METH_NOARGS, PyDoc_STR("notifyAll($self)\n--\n\nThe old spelling of notify_all().")},
    {"_is_owned", &owned, METH_NOARGS, PyDoc_STR("_is_owned($self, /)\n--\n\n")},
    {"_release_save", &release_save, METH_NOARGS, PyDoc_STR("_release_save($self, /)\n--\n\n")},
    {"_acquire_restore", &acquire_restore, METH_O, PyDoc_STR("_acquire_restore($self, state, /)\n--\n\n")},
    {"__getstate__", &refuse_to_pickle_lock, METH_NOARGS, PyDoc_STR("__getstate__($self, /)\n--\n\n")},
    {kReinitsAfterFork ? "_at_fork_reinit" : "_is_owned", kReinitsAfterFork ? &reinit : &owned, METH_NOARGS,
     PyDoc_STR("_at_fork_reinit($self, /)\n--\n\n")},
    {kOwnersTellLocked ? "locked" : nullptr, &locked, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {kDictGetter,
                        {"_lock", &get_lock, nullptr, nullptr, nullptr},
                        {"_waiters", &get_waiters, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyObject* make_condition_type(PyObject* module) {
  return make_type<Instances>(
      module, {.name = "threading.Condition",
               .doc = "Condition(lock=None)\n--\n\nThreads wait, releasing a lock, until others notify them.",
               .flags = kPrimitiveFlags,
               .construct = &Instances::make,
               .init = &init,
               .repr = &repr,
               .methods = methods,
               .getset = getset,
               .enter = &enter,
               .exit = &leave});
}

}  // namespace face
