// SPDX-License-Identifier: MIT
//
// What C++ asks through <threading/python.hpp>. Everything here runs with the GIL held.
#include "sharing.hpp"

#include "objects.hpp"
#include "queue.hpp"
#include "thread_handle.hpp"

namespace face {
namespace {

using threading::python::detail::Table;

struct Name {
  Kind kind;
  const char* name;  // in `_core`
};
constexpr Name kNames[] = {
    {Kind::lock, "lock"},       {Kind::rlock, "RLock"},         {Kind::condition, "Condition"},
    {Kind::event, "Event"},     {Kind::semaphore, "Semaphore"}, {Kind::bounded_semaphore, "BoundedSemaphore"},
    {Kind::barrier, "Barrier"}, {Kind::queue, "Queue"},         {Kind::thread, "ThreadHandle"}};

PyTypeObject* type_of(Kind kind) {
  return reinterpret_cast<PyTypeObject*>(module_attribute(kNames[static_cast<int>(kind)].name));
}

template <class Object>
Object& as(PyObject* object) {
  return *reinterpret_cast<Object*>(object);
}

void* core_of(PyObject* object, Kind kind) {
  switch (kind) {
    case Kind::lock: return as<LockObject>(object).held.core;
    case Kind::rlock: return as<RLockObject>(object).held.core;
    case Kind::condition: return as<ConditionObject>(object).held.core;
    case Kind::event: return as<EventObject>(object).held.core;
    case Kind::semaphore: {
      SemaphoreObject& semaphore = as<SemaphoreObject>(object);
      return semaphore.core == nullptr || semaphore.bounded ? nullptr : &semaphore.plain();
    }
    case Kind::bounded_semaphore: {
      SemaphoreObject& semaphore = as<SemaphoreObject>(object);
      return semaphore.core == nullptr ? nullptr : &semaphore.with_bound();
    }
    case Kind::barrier: return as<BarrierObject>(object).held.core;
    case Kind::queue: {
      const auto* const shared = as<queue::QueueObject>(object).shared;
      return shared != nullptr ? shared->get() : nullptr;
    }
    case Kind::thread: break;  // get() has asked thread_behind()
  }
  return nullptr;
}

std::nullptr_t refuse_inline(PyObject* object) {
  PyErr_Format(PyExc_ValueError, "this %s lives in its Python object; make one with threadingpp.shared() to share it",
               Py_TYPE(object)->tp_name);
  return nullptr;
}

void* get(PyObject* object, Kind kind) {
  // A Thread behind a Thread of the package, or a handle.
  if (kind == Kind::thread) return const_cast<threading::Thread*>(thread_behind(object));
  PyTypeObject* const type = type_of(kind);
  if (type == nullptr) return nullptr;
  const bool fits = PyObject_TypeCheck(object, type);
  void* const core = fits ? core_of(object, kind) : nullptr;
  if (core == nullptr && fits && kind == Kind::queue) {
    refuse_inline(object);
  } else if (core == nullptr) {
    PyErr_Format(PyExc_TypeError, "a %s of threadingpp is needed, not '%s'", type->tp_name, Py_TYPE(object)->tp_name);
  }
  Py_DECREF(reinterpret_cast<PyObject*>(type));
  return core;
}

template <class T>
bool copy(const std::shared_ptr<T>* shared, std::shared_ptr<void>* into) {
  if (shared != nullptr) *into = *shared;
  return shared != nullptr;
}

bool copy_block(PyObject* object, Kind kind, std::shared_ptr<void>* into) {
  switch (kind) {
    case Kind::lock: return copy(as<LockObject>(object).held.shared, into);
    case Kind::rlock: return copy(as<RLockObject>(object).held.shared, into);
    case Kind::condition: return copy(as<ConditionObject>(object).held.shared, into);
    case Kind::event: return copy(as<EventObject>(object).held.shared, into);
    case Kind::semaphore: return copy(as<SemaphoreObject>(object).shared, into);
    case Kind::bounded_semaphore: return copy(as<SemaphoreObject>(object).shared_bounded, into);
    case Kind::barrier: return copy(as<BarrierObject>(object).held.shared, into);
    case Kind::queue: return copy(as<queue::QueueObject>(object).shared, into);
    case Kind::thread: *into = std::make_shared<threading::Thread>(*thread_behind(object)); return true;
  }
  return false;
}

bool share(PyObject* object, Kind kind, std::shared_ptr<void>* into) {
  if (get(object, kind) == nullptr) return false;
  if (copy_block(object, kind, into)) return true;
  return refuse_inline(object) != nullptr;
}

void adopt(PyObject* object, Kind kind, const std::shared_ptr<void>& block, PyObject* lock) {
  switch (kind) {
    case Kind::lock: as<LockObject>(object).held.adopt(std::static_pointer_cast<threading::Lock>(block)); break;
    case Kind::rlock: as<RLockObject>(object).held.adopt(std::static_pointer_cast<threading::RLock>(block)); break;
    case Kind::condition: {
      ConditionObject& condition = as<ConditionObject>(object);
      condition.held.adopt(std::static_pointer_cast<threading::Condition>(block));
      condition.lock = new_reference(lock);
      condition.over_lock = is_lock(lock);
      break;
    }
    case Kind::event: as<EventObject>(object).held.adopt(std::static_pointer_cast<threading::Event>(block)); break;
    case Kind::semaphore: {
      SemaphoreObject& semaphore = as<SemaphoreObject>(object);
      semaphore.shared =
          new std::shared_ptr<threading::Semaphore>(std::static_pointer_cast<threading::Semaphore>(block));
      semaphore.core = semaphore.shared->get();
      break;
    }
    case Kind::bounded_semaphore: {
      SemaphoreObject& semaphore = as<SemaphoreObject>(object);
      semaphore.bounded = true;
      semaphore.shared_bounded = new std::shared_ptr<threading::BoundedSemaphore>(
          std::static_pointer_cast<threading::BoundedSemaphore>(block));
      semaphore.core = semaphore.shared_bounded->get();
      break;
    }
    case Kind::barrier: {
      BarrierObject& barrier = as<BarrierObject>(object);
      barrier.held.adopt(std::static_pointer_cast<threading::Barrier>(block));
      barrier.parties = static_cast<Py_ssize_t>(barrier.held.core->parties());
      break;
    }
    case Kind::queue:
    case Kind::thread: break;  // wrap_new() makes them
  }
}

// Objects that stand for a block, by kind and address (a queue and its lock have the same one): a WeakValueDictionary.
PyObject* known_objects() {
  PyObject* const known = module_attribute("_shared_objects");
  if (known != nullptr || !PyErr_ExceptionMatches(PyExc_AttributeError)) return known;
  PyErr_Clear();
  PyObject* const module = PyImport_ImportModule("weakref");
  PyObject* const made = module != nullptr ? PyObject_CallMethod(module, "WeakValueDictionary", nullptr) : nullptr;
  Py_XDECREF(module);
  PyObject* const core = made != nullptr ? PyImport_ImportModule("threadingpp._core") : nullptr;
  if (core != nullptr && PyObject_SetAttrString(core, "_shared_objects", made) == 0) {
    Py_DECREF(core);
    return made;
  }
  Py_XDECREF(core);
  Py_XDECREF(made);
  return nullptr;
}

PyObject* find_known(PyObject* known, PyObject* key) {
  PyObject* const found = PyObject_GetItem(known, key);
  if (found == nullptr && PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_Clear();
  return found;
}

PyObject* wrap_new(Kind kind, const std::shared_ptr<void>& block, PyObject* lock) {
  if (kind == Kind::condition && lock == nullptr) {
    PyErr_SetString(PyExc_TypeError, "a shared Condition needs its lock: to_python(condition, lock)");
    return nullptr;
  }
  if (kind == Kind::queue) return queue::wrap_shared(std::static_pointer_cast<threading::python::Queue>(block));
  if (kind == Kind::thread) return wrap_thread(*std::static_pointer_cast<threading::Thread>(block));
  PyTypeObject* const type = type_of(kind);
  if (type == nullptr) return nullptr;
  PyObject* const object = type->tp_alloc(type, 0);
  if (object != nullptr) adopt(object, kind, block, lock);
  Py_DECREF(reinterpret_cast<PyObject*>(type));
  return object;
}

PyObject* wrap(Kind kind, const std::shared_ptr<void>& block, PyObject* lock) {
  PyObject* const known = known_objects();
  PyObject* const key =
      known != nullptr ? Py_BuildValue("(iN)", static_cast<int>(kind), PyLong_FromVoidPtr(block.get())) : nullptr;
  PyObject* result = key != nullptr ? find_known(known, key) : nullptr;
  if (result == nullptr && !PyErr_Occurred()) {
    result = wrap_new(kind, block, lock);
    if (result != nullptr && PyObject_SetItem(known, key, result) < 0) Py_CLEAR(result);
  }
  Py_XDECREF(known);
  Py_XDECREF(key);
  return result;
}

struct SharedCondition {
  std::shared_ptr<threading::RLock> lock = std::make_shared<threading::RLock>();
  threading::Condition condition{*lock};
};

PyObject* make_condition() {
  const auto both = std::make_shared<SharedCondition>();
  PyObject* const lock = wrap(Kind::rlock, both->lock, nullptr);
  if (lock == nullptr) return nullptr;
  PyObject* const result = wrap(Kind::condition, std::shared_ptr<threading::Condition>(both, &both->condition), lock);
  Py_DECREF(lock);
  return result;
}

PyObject* make_one(Kind kind, Py_ssize_t number) {
  switch (kind) {
    case Kind::lock: return wrap(kind, std::make_shared<threading::Lock>(), nullptr);
    case Kind::rlock: return wrap(kind, std::make_shared<threading::RLock>(), nullptr);
    case Kind::condition: return make_condition();
    case Kind::event: return wrap(kind, std::make_shared<threading::Event>(), nullptr);
    case Kind::semaphore: return wrap(kind, std::make_shared<threading::Semaphore>(number), nullptr);
    case Kind::bounded_semaphore: return wrap(kind, std::make_shared<threading::BoundedSemaphore>(number), nullptr);
    case Kind::barrier:
      return wrap(kind, std::make_shared<threading::Barrier>(static_cast<std::size_t>(number)), nullptr);
    case Kind::queue:
      return wrap(kind, std::make_shared<threading::python::Queue>(static_cast<std::size_t>(number)), nullptr);
    case Kind::thread: break;  // a thread is shared as it is
  }
  return nullptr;
}

constexpr Table table{threading::python::kTableVersion, sizeof(Table), &get, &share, &wrap, &queue::discard};

}  // namespace

PyObject* wrap_part(Kind kind, const std::shared_ptr<void>& block, void* part, PyObject* lock) {
  return wrap(kind, std::shared_ptr<void>(block, part), lock);
}

PyObject* make_capsule() {
  return PyCapsule_New(const_cast<void*>(static_cast<const void*>(&table)), threading::python::kCapsule, nullptr);
}

PyObject* make_shared_object(PyObject*, PyObject* args) {
  const char* name = nullptr;
  Py_ssize_t number = -1;
  if (!PyArg_ParseTuple(args, "s|n:shared", &name, &number)) return nullptr;
  for (const Name& each : kNames) {
    if (each.kind == Kind::thread) continue;
    if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(args, 0), each.name) != 0) continue;
    if (PyTuple_GET_SIZE(args) == 1) number = each.kind == Kind::queue ? 0 : 1;
    if (each.kind == Kind::queue && number < 0) number = 0;  // without a bound, as in Queue(maxsize=-1)
    if (number < (each.kind == Kind::barrier ? 1 : 0)) {
      PyErr_SetString(PyExc_ValueError, "the number is too small");
      return nullptr;
    }
    return make_one(each.kind, number);
  }
  PyErr_Format(PyExc_TypeError, "a '%s' cannot be shared with C++", name);
  return nullptr;
}

}  // namespace face
