// SPDX-License-Identifier: MIT
//
// Queues that C++ owns as well (threading/python_queue.hpp).
//
// S1   The queue's own lock is never held across taking the GIL: a thread that the interpreter's shutdown ends there
//      would keep C++ out for ever. A call that does not wait holds the lock with the GIL held; one that waits takes
//      and gives the lock back inside one piece without the GIL, and has its item or its slot by then.
// S2   C++ may drop references to Python objects at any time, also after the interpreter has ended. They are kept in
//      `dropped` until somebody comes with the GIL: the next call on any shared queue.
#include <atomic>
#include <new>
#include <utility>

#include "queue.hpp"
#include "sharing.hpp"

namespace face::queue {
namespace {

namespace shared = threading::python;
using shared::detail::Held;
using shared::detail::Node;
using shared::detail::QueueParts;

std::atomic<Held*> dropped;

QueueParts& parts_of(PyObject* self) { return (*object_of(self).shared)->parts(); }

// Returns: null with an exception set.
Node* make_node(PyObject* item) {
  try {
    return new Node{shared::Item::from_python(item, &discard), nullptr};
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
    return nullptr;
  }
}

// Holds the queue's lock around `step()`, which must not touch a Python object.
template <class Step>
void locked(QueueParts& parts, Step step) {
  if (parts.lock.try_lock()) {
    step();
    parts.lock.unlock();
    return;
  }
  without_gil([&parts, &step] {
    Embedding::acquire(parts.lock, {});
    step();
    parts.lock.unlock();
    return 0;
  });
}

// Calls `look()` with the queue's lock held until it returns true; waits on `condition` in between.
// Returns: woken, timed_out, or raised with an exception set.
template <class Look>
Wait look_until(QueueParts& parts, threading::Condition& condition, const Bound& bound, Look look) {
  const bool only_once = !bound.blocking || bound.deadline == Deadline::passed();
  if (parts.lock.try_lock()) {
    const bool over = look();
    parts.lock.unlock();
    if (over || only_once) return over ? Wait::woken : Wait::timed_out;
  }
  HandledWait waiting(bound.deadline);
  const Outcome outcome = waiting.run([&parts, &condition, &look, &waiting, only_once](const Embedding::Wait& wait) {
    Embedding::acquire(parts.lock, {});
    Outcome last = only_once ? Outcome::timed_out : Outcome::ok;
    while (!look()) {
      if (last != Outcome::ok) {
        parts.lock.unlock();
        return last;
      }
      const auto waited = Embedding::wait_released(condition, wait);
      if (!Embedding::try_take_back(condition, waited)) Embedding::take_back(condition, waited);
      last = waited.outcome;
      // The exception counts, whatever there is to take. Was this thread chosen all the same, the next one is to look.
      if (waiting.raised()) {
        if (last == Outcome::ok) condition.notify();
        parts.lock.unlock();
        return Outcome::interrupted;
      }
    }
    parts.lock.unlock();
    return Outcome::ok;
  });
  if (waiting.raised()) return Wait::raised;
  return outcome == Outcome::ok ? Wait::woken : Wait::timed_out;
}

// --- calls ---

PyObject* put_shared(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  static constexpr const char* kParameters[] = {"item", "block", "timeout"};
  PyObject* values[3] = {count == 1 && names == nullptr ? args[0] : nullptr, nullptr, nullptr};
  if (values[0] == nullptr && !read_arguments("Queue.put", args, count, names, kParameters, 3, values)) return nullptr;
  if (values[0] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "put() missing 1 required positional argument: 'item'");
    return nullptr;
  }
  Bound bound{true, Deadline::never(), nullptr};
  if ((values[1] != nullptr || values[2] != nullptr) && !read_bound(values[1], values[2], bound)) return nullptr;
  Node* node = make_node(values[0]);
  if (node == nullptr) return nullptr;
  QueueParts& parts = parts_of(self);
  const Wait outcome = look_until(parts, parts.not_full, bound, [&parts, &node] {
    if (parts.is_shutdown) return true;
    if (!parts.has_slot()) return false;
    parts.push(std::exchange(node, nullptr));
    return true;
  });
  delete node;
  drain();
  if (outcome == Wait::raised) return nullptr;
  if (outcome == Wait::timed_out) return raise("Full");
  if (node != nullptr) return raise("ShutDown");
  Py_RETURN_NONE;
}

PyObject* get_shared(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  static constexpr const char* kParameters[] = {"block", "timeout"};
  PyObject* values[2] = {nullptr, nullptr};
  Bound bound{true, Deadline::never(), nullptr};
  if (count != 0 || names != nullptr) {
    if (!read_arguments("Queue.get", args, count, names, kParameters, 2, values)) return nullptr;
    if (!read_bound(values[0], values[1], bound)) return nullptr;
  }
  QueueParts& parts = parts_of(self);
  Node* node = nullptr;
  const Wait outcome = look_until(parts, parts.not_empty, bound, [&parts, &node] {
    if (parts.count != 0) node = parts.pop();
    return node != nullptr || parts.is_shutdown;
  });
  if (outcome == Wait::raised) return nullptr;
  if (outcome == Wait::timed_out) return raise("Empty");
  if (node == nullptr) return raise("ShutDown");
  PyObject* const item = node->item.to_python();
  delete node;
  drain();
  return item;
}

PyObject* finish_shared(PyObject* self) {
  QueueParts& parts = parts_of(self);
  bool done = false;
  locked(parts, [&parts, &done] { done = parts.finish_task(); });
  if (done) Py_RETURN_NONE;
  PyErr_SetString(PyExc_ValueError, "task_done() called too many times");
  return nullptr;
}

PyObject* join_shared(PyObject* self) {
  QueueParts& parts = parts_of(self);
  const Wait outcome = look_until(parts, parts.all_tasks_done, {true, Deadline::never(), nullptr},
                                  [&parts] { return parts.unfinished == 0; });
  if (outcome == Wait::raised) return nullptr;
  Py_RETURN_NONE;
}

PyObject* shut_down_shared(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  static constexpr const char* kParameters[] = {"immediate"};
  PyObject* immediate = nullptr;
  if (!read_arguments("Queue.shutdown", args, count, names, kParameters, 1, &immediate)) return nullptr;
  const int at_once = immediate != nullptr ? PyObject_IsTrue(immediate) : 0;
  if (at_once < 0) return nullptr;
  QueueParts& parts = parts_of(self);
  Node* left = nullptr;
  locked(parts, [&parts, &left, at_once] { left = parts.shut_down(at_once == 1); });
  shared::detail::destroy_all(left);
  drain();
  Py_RETURN_NONE;
}

struct Numbers {
  std::size_t count;
  std::size_t maxsize;
  std::size_t unfinished;
  bool full;
};
Numbers numbers_of(PyObject* self) {
  QueueParts& parts = parts_of(self);
  Numbers numbers{};
  locked(parts, [&parts, &numbers] { numbers = {parts.count, parts.maxsize, parts.unfinished, !parts.has_slot()}; });
  return numbers;
}

}  // namespace

void discard(threading::python::detail::Held* held) noexcept {
  Held* first = dropped.load(std::memory_order_relaxed);
  do {
    held->next = first;
    // release pairs with the acquire in drain(). relaxed on failure: tried again.
  } while (!dropped.compare_exchange_weak(first, held, std::memory_order_release, std::memory_order_relaxed));
}

void drain() {
  // relaxed: a hint; what is missed now is for the next call.
  if (dropped.load(std::memory_order_relaxed) == nullptr) return;
  Held* held = dropped.exchange(nullptr, std::memory_order_acquire);
  while (held != nullptr) {
    Held* const next = held->next;
    PyObject* const object = held->object;
    delete held;
    held = next;
    Py_DECREF(object);  // may run anything
  }
}

PyObject* call_shared(Method method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  switch (method) {
    case Method::put: return put_shared(self, args, count, names);
    case Method::get: return get_shared(self, args, count, names);
    case Method::task_done: return finish_shared(self);
    case Method::join: return join_shared(self);
    case Method::qsize: return PyLong_FromSize_t(numbers_of(self).count);
    case Method::empty: return boolean(numbers_of(self).count == 0);
    case Method::full: return boolean(numbers_of(self).full);
    case Method::shutdown: return shut_down_shared(self, args, count, names);
  }
  return nullptr;
}

PyObject* get_shared_part(PyObject* self, Part index) {
  if (index == kItems) {
    PyErr_SetString(PyExc_AttributeError, "the items of a queue that is shared with C++ cannot be reached");
    return nullptr;
  }
  const std::shared_ptr<shared::Queue>& block = *object_of(self).shared;
  QueueParts& parts = block->parts();
  // Each stands for the block, so that it may outlive the queue's own object.
  PyObject* const mutex = wrap_part(Kind::lock, block, &parts.lock, nullptr);
  if (mutex == nullptr || index == kMutex) return mutex;
  threading::Condition& condition = index == kNotEmpty  ? parts.not_empty
                                    : index == kNotFull ? parts.not_full
                                                        : parts.all_tasks_done;
  PyObject* const result = wrap_part(Kind::condition, block, &condition, mutex);
  Py_DECREF(mutex);
  return result;
}

PyObject* get_shared_number(PyObject* self, bool is_maxsize) {
  const Numbers numbers = numbers_of(self);
  return PyLong_FromSize_t(is_maxsize ? numbers.maxsize : numbers.unfinished);
}

int set_shared_maxsize(PyObject* self, Py_ssize_t limit) {
  QueueParts& parts = parts_of(self);
  locked(parts, [&parts, limit] {
    parts.maxsize = static_cast<std::size_t>(limit);
    parts.not_full.notify_all();
  });
  return 0;
}

bool is_shut_down(PyObject* self) {
  if (object_of(self).mode != Mode::shared) return object_of(self).is_shutdown;
  QueueParts& parts = parts_of(self);
  bool result = false;
  locked(parts, [&parts, &result] { result = parts.is_shutdown; });
  return result;
}

PyObject* wrap_shared(const std::shared_ptr<threading::python::Queue>& block) {
  // Its items belong to one interpreter, and nobody can tell which by looking at them.
  if (PyThreadState_Get()->interp != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_RuntimeError, "a queue can be shared with C++ in the main interpreter only");
    return nullptr;
  }
  PyObject* const module = PyImport_ImportModule("threadingpp.queue");
  PyObject* const type = module != nullptr ? PyObject_GetAttrString(module, "Queue") : nullptr;
  PyObject* const self = type != nullptr ? PyObject_CallObject(type, nullptr) : nullptr;
  Py_XDECREF(module);
  Py_XDECREF(type);
  if (self == nullptr) return nullptr;
  object_of(self).shared = new std::shared_ptr<shared::Queue>(block);
  object_of(self).mode = Mode::shared;
  return self;
}

}  // namespace face::queue
