// SPDX-License-Identifier: MIT
//
// Queue, LifoQueue, PriorityQueue and SimpleQueue of the module `queue`. The GIL guards them: a put() or get() that
// does not wait is a few stores. (A free-threaded build keeps the stdlib's.)
//
// States   native: items are in `ring` (or, of a PriorityQueue, in `heap`), and threads wait in our lists.
//          exposed: somebody has asked for `mutex`, `not_empty`, `queue` …, or a subclass has hooks (_put, _get …) of
//          its own. Then these are real objects, and every call runs the stdlib's own method on them, so that code
//          that holds the mutex, or waits on a condition, is honoured. There is no way back.
// I1       Everything here is read and written with the GIL held. Nothing is kept across a call that may let it go
//          (a wait, a comparison of items), except through `self`.
// I2       A waiter is in a list until whoever wakes it removes it; it lives on the heap, because the thread that waits
//          may be ended by the interpreter's shutdown with no chance to leave the list.
// I3       Each put() wakes one getter, each get() one putter. One that was woken and then does not use its turn passes
//          it on.
#include <cstring>

#include "arguments.hpp"
#include "objects.hpp"
#include "without_gil.hpp"

namespace face {
namespace {

// --- waiting threads ---

struct Waiter {
  threading::Event event;
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  bool listed = true;
};

struct Waiters {
  Waiter* first;
  Waiter* last;

  void push(Waiter* waiter, bool in_front) {
    if (first == nullptr) {
      first = last = waiter;
    } else if (in_front) {
      waiter->next = first;
      first->previous = waiter;
      first = waiter;
    } else {
      waiter->previous = last;
      last->next = waiter;
      last = waiter;
    }
  }
  void remove(Waiter* waiter) {
    (waiter->previous != nullptr ? waiter->previous->next : first) = waiter->next;
    (waiter->next != nullptr ? waiter->next->previous : last) = waiter->previous;
    waiter->listed = false;
  }
  void wake_one() {
    Waiter* const waiter = first;
    if (waiter == nullptr) return;
    remove(waiter);
    waiter->event.set();
  }
  void wake_all() {
    while (first != nullptr) wake_one();
  }
};

enum class Wait { woken, timed_out, raised };

Wait wait_in(Waiters& list, Deadline deadline, bool in_front) {
  auto* const waiter = new (std::nothrow) Waiter;
  if (waiter == nullptr) {
    PyErr_NoMemory();
    return Wait::raised;
  }
  list.push(waiter, in_front);
  Pieces pieces(deadline);
  Wait result = Wait::woken;
  for (;;) {
    const Embedding::Wait wait = pieces.next();
    const Outcome outcome = without_gil([waiter, &wait] { return Embedding::wait(waiter->event, wait); });
    if (outcome == Outcome::ok) break;
    if (Py_MakePendingCalls() < 0) {
      result = Wait::raised;
      if (!waiter->listed) list.wake_one();
      break;
    }
    if (!waiter->listed) break;
    if (outcome == Outcome::timed_out && pieces.over()) {
      result = Wait::timed_out;
      break;
    }
  }
  if (waiter->listed) list.remove(waiter);
  delete waiter;
  return result;
}

// --- items ---

// A ring of references; its size is a power of two.
struct Ring {
  PyObject** items;
  Py_ssize_t size;
  Py_ssize_t head;
  Py_ssize_t count;

  bool grow() {
    const Py_ssize_t bigger = size == 0 ? 8 : size * 2;
    auto** const moved = static_cast<PyObject**>(PyMem_Malloc(static_cast<std::size_t>(bigger) * sizeof(PyObject*)));
    if (moved == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    for (Py_ssize_t i = 0; i != count; ++i) moved[i] = items[(head + i) & (size - 1)];
    PyMem_Free(items);
    items = moved;
    size = bigger;
    head = 0;
    return true;
  }
  bool push(PyObject* item) {
    if (count == size && !grow()) return false;
    Py_INCREF(item);
    items[(head + count++) & (size - 1)] = item;
    return true;
  }
  PyObject* pop_front() {
    PyObject* const item = items[head];
    head = (head + 1) & (size - 1);
    --count;
    return item;
  }
  PyObject* pop_back() { return items[(head + --count) & (size - 1)]; }
};

enum class Order : unsigned char { fifo, lifo, priority };
enum Part { kMutex, kNotEmpty, kNotFull, kAllTasksDone, kItems, kParts };
constexpr const char* kPartNames[kParts] = {"mutex", "not_empty", "not_full", "all_tasks_done", "queue"};

struct QueueObject {
  PyObject_HEAD Ring ring;
  PyObject* heap;          // a list, of a PriorityQueue
  threading::RLock guard;  // of `heap`: comparing items may let the GIL go, or come back here
  Waiters getters;
  Waiters putters;
  Waiters joiners;
  Py_ssize_t limit;      // maxsize; 0 or less: none
  PyObject* maxsize;     // as given
  PyObject* unfinished;  // exposed: any number
  Py_ssize_t unfinished_tasks;
  Order order;
  bool exposed;
  bool is_shutdown;
  PyObject* parts[kParts];
  PyObject* dict;
  PyObject* weakrefs;
};

QueueObject& object_of(PyObject* self) { return *reinterpret_cast<QueueObject*>(self); }

// The stdlib's `queue` module, as threadingpp.queue has kept it: exceptions, and methods for exposed queues.
PyObject* stdlib(const char* name) {
  PyObject* const table = module_attribute("_queue_stdlib");
  if (table == nullptr) return nullptr;
  PyObject* const value = PyDict_GetItemString(table, name);
  if (value == nullptr) PyErr_SetString(PyExc_AttributeError, name);
  Py_XINCREF(value);
  Py_DECREF(table);
  return value;
}

PyObject* raise(const char* name) {
  PyObject* const error = stdlib(name);
  if (error != nullptr) PyErr_SetNone(error);
  Py_XDECREF(error);
  return nullptr;
}

// Runs the stdlib's own method on an exposed queue.
PyObject* call_stdlib(const char* method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* const function = stdlib(method);
  if (function == nullptr) return nullptr;
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  PyObject* all[8] = {self};
  PyObject* result = nullptr;
  if (count + named < 8) {
    for (Py_ssize_t i = 0; i != count + named; ++i) all[i + 1] = args[i];
#if PY_VERSION_HEX >= 0x03090000
    result = PyObject_Vectorcall(function, all, static_cast<std::size_t>(count + 1), names);
#else
    result = _PyObject_Vectorcall(function, all, static_cast<std::size_t>(count + 1), names);
#endif
  } else {
    PyErr_Format(PyExc_TypeError, "%s() got too many arguments", method);
  }
  Py_DECREF(function);
  return result;
}

Py_ssize_t size_of(const QueueObject& self) {
  return self.order == Order::priority ? PyList_GET_SIZE(self.heap) : self.ring.count;
}
bool is_full(const QueueObject& self) { return self.limit > 0 && size_of(self) >= self.limit; }

// Keeps others out of the heap while items compare themselves. May let the GIL go: look at everything again.
bool hold(QueueObject& self) { return self.guard.try_lock() || wait_for_lock(self.guard, Deadline::never()) == 1; }

PyObject* call_heap(QueueObject& self, const char* function, PyObject* item) {
  PyObject* const method = stdlib(function);
  PyObject* const result = method != nullptr ? PyObject_CallFunctionObjArgs(method, self.heap, item, nullptr) : nullptr;
  Py_XDECREF(method);
  return result;
}

// Requires: hold(), of a PriorityQueue.
bool store(QueueObject& self, PyObject* item) {
  if (self.order != Order::priority) return self.ring.push(item);
  PyObject* const none = call_heap(self, "heappush", item);
  Py_XDECREF(none);
  return none != nullptr;
}

// Requires: hold(), of a PriorityQueue; an item.
PyObject* take(QueueObject& self) {
  switch (self.order) {
    case Order::fifo: return self.ring.pop_front();
    case Order::lifo: return self.ring.pop_back();
    case Order::priority: break;
  }
  return call_heap(self, "heappop", nullptr);
}

// --- exposing ---

// Makes the real objects. Who waits in our lists is woken and starts again, the exposed way.
bool expose_held(PyObject* self) {
  QueueObject& queue = object_of(self);
  if (queue.exposed) return true;
  PyObject* const make = stdlib("make_parts");
  PyObject* const items = PyList_New(0);
  PyObject* parts = nullptr;
  bool done = make != nullptr && items != nullptr;
  const Py_ssize_t count = queue.ring.count;
  for (Py_ssize_t i = 0; done && i != count; ++i) {
    done = PyList_Append(items, queue.ring.items[(queue.ring.head + i) & (queue.ring.size - 1)]) == 0;
  }
  if (done) {
    PyObject* const order = PyLong_FromLong(static_cast<long>(queue.order));
    parts = PyObject_CallFunctionObjArgs(make, queue.heap != nullptr ? queue.heap : items, order, nullptr);
    Py_XDECREF(order);
  }
  // From here on nothing lets the GIL go. Somebody may have been here first.
  if (parts != nullptr && PyTuple_GET_SIZE(parts) == kParts && !queue.exposed && queue.ring.count == count) {
    queue.unfinished = PyLong_FromSsize_t(queue.unfinished_tasks);
    for (int i = 0; i != kParts; ++i) queue.parts[i] = new_reference(PyTuple_GET_ITEM(parts, i));
    queue.exposed = true;
    queue.getters.wake_all();
    queue.putters.wake_all();
    queue.joiners.wake_all();
    while (queue.ring.count != 0) {
      PyObject* const item = queue.ring.pop_front();
      Py_DECREF(item);
    }
  }
  Py_XDECREF(make);
  Py_XDECREF(items);
  Py_XDECREF(parts);
  if (queue.exposed) return true;
  return parts != nullptr && expose_held(self);
}

bool expose(PyObject* self) {
  QueueObject& queue = object_of(self);
  if (queue.order != Order::priority) return expose_held(self);
  if (!hold(queue)) return false;
  const bool done = expose_held(self);
  queue.guard.unlock();
  return done;
}

PyObject* get_part(PyObject* self, void* index) {
  QueueObject& queue = object_of(self);
  PyObject*& part = queue.parts[reinterpret_cast<std::intptr_t>(index)];
  if (part == nullptr && !queue.exposed && !expose(self)) return nullptr;
  if (part != nullptr) return new_reference(part);
  PyErr_SetString(PyExc_AttributeError, kPartNames[reinterpret_cast<std::intptr_t>(index)]);
  return nullptr;
}

int set_part(PyObject* self, PyObject* value, void* index) {
  QueueObject& queue = object_of(self);
  if (!queue.exposed && !expose(self)) return -1;
  Py_XINCREF(value);
  Py_XSETREF(queue.parts[reinterpret_cast<std::intptr_t>(index)], value);
  return 0;
}

PyObject* get_unfinished(PyObject* self, void*) {
  const QueueObject& queue = object_of(self);
  return queue.exposed && queue.unfinished != nullptr ? new_reference(queue.unfinished)
                                                      : PyLong_FromSsize_t(queue.unfinished_tasks);
}

int set_unfinished(PyObject* self, PyObject* value, void*) {
  QueueObject& queue = object_of(self);
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "unfinished_tasks");
    return -1;
  }
  if (queue.exposed) {
    Py_INCREF(value);
    Py_XSETREF(queue.unfinished, value);
    return 0;
  }
  const Py_ssize_t count = PyLong_AsSsize_t(value);
  if (count == -1 && PyErr_Occurred()) return -1;
  queue.unfinished_tasks = count;
  if (count <= 0) queue.joiners.wake_all();
  return 0;
}

PyObject* get_maxsize(PyObject* self, void*) {
  PyObject* const maxsize = object_of(self).maxsize;
  return maxsize != nullptr ? new_reference(maxsize) : PyLong_FromLong(0);
}

int set_maxsize(PyObject* self, PyObject* value, void*) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "maxsize");
    return -1;
  }
  const double limit = PyFloat_AsDouble(value);
  if (limit == -1 && PyErr_Occurred()) return -1;
  QueueObject& queue = object_of(self);
  queue.limit = limit <= 0 ? 0 : limit < 1e18 ? static_cast<Py_ssize_t>(limit) : PY_SSIZE_T_MAX;
  Py_INCREF(value);
  Py_XSETREF(queue.maxsize, value);
  queue.putters.wake_all();
  return 0;
}

PyObject* get_shutdown(PyObject* self, void*) { return boolean(object_of(self).is_shutdown); }

int set_shutdown(PyObject* self, PyObject* value, void*) {
  const int truth = value != nullptr ? PyObject_IsTrue(value) : 0;
  if (truth < 0) return -1;
  object_of(self).is_shutdown = truth != 0;
  return 0;
}

// --- calls ---

struct Bound {
  bool blocking;
  Deadline deadline;
  PyObject* timeout;  // as given
};

// block=True, timeout=None. Returns: false with an exception set.
bool read_bound(PyObject* block, PyObject* timeout, Bound& bound) {
  bound = {true, Deadline::never(), timeout};
  if (block != nullptr) {
    const int truth = PyObject_IsTrue(block);
    if (truth < 0) return false;
    bound.blocking = truth != 0;
  }
  if (!bound.blocking || timeout == nullptr || timeout == Py_None) return true;
  PyObject* const zero = PyLong_FromLong(0);
  const int negative = PyObject_RichCompareBool(timeout, zero, Py_LT);
  Py_DECREF(zero);
  if (negative < 0) return false;
  if (negative == 1) {
    PyErr_SetString(PyExc_ValueError, "'timeout' must be a non-negative number");
    return false;
  }
  return read_timeout(timeout, bound.deadline);
}

// A call that waited natively when the queue was exposed goes on in the stdlib's method, with the time that is left.
PyObject* go_on_exposed(const char* method, PyObject* self, PyObject* item, const Bound& bound) {
  PyObject* timeout = new_reference(Py_None);
  if (!bound.deadline.is_never()) {
    const std::int64_t now = threading::detail::backend::monotonic_now();
    const std::int64_t left = bound.deadline == Deadline::passed() ? 0 : bound.deadline.nanoseconds() - now;
    Py_DECREF(timeout);
    timeout = PyFloat_FromDouble(left > 0 ? static_cast<double>(left) * 1e-9 : 0.0);
    if (timeout == nullptr) return nullptr;
  }
  PyObject* const args[] = {item, bound.blocking ? Py_True : Py_False, timeout};
  PyObject* const result =
      item != nullptr ? call_stdlib(method, self, args, 3, nullptr) : call_stdlib(method, self, args + 1, 2, nullptr);
  Py_DECREF(timeout);
  return result;
}

enum class Turn { mine, exposed, over };

// Waits for a free slot. Returns: over with an exception set.
Turn wait_for_slot(QueueObject& queue, const Bound& bound) {
  for (bool again = false; is_full(queue); again = true) {
    if (!bound.blocking || bound.deadline == Deadline::passed()) return raise("Full"), Turn::over;
    const Wait outcome = wait_in(queue.putters, bound.deadline, again);
    if (outcome == Wait::raised) return Turn::over;
    if (queue.exposed) return Turn::exposed;
    if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
    if (outcome == Wait::timed_out && is_full(queue)) return raise("Full"), Turn::over;
  }
  return Turn::mine;
}

// Waits for an item. Returns: over with an exception set.
Turn wait_for_item(QueueObject& queue, const Bound& bound) {
  for (bool again = false; size_of(queue) == 0; again = true) {
    if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
    if (!bound.blocking || bound.deadline == Deadline::passed()) return raise("Empty"), Turn::over;
    const Wait outcome = wait_in(queue.getters, bound.deadline, again);
    if (outcome == Wait::raised) return Turn::over;
    if (queue.exposed) return Turn::exposed;
    if (outcome == Wait::timed_out && size_of(queue) == 0) return raise("Empty"), Turn::over;
  }
  return Turn::mine;
}

// The same for a PriorityQueue, which is held when this returns `mine`.
template <class WaitFor>
Turn wait_and_hold(QueueObject& queue, const Bound& bound, WaitFor wait_for, bool (*ready)(const QueueObject&)) {
  for (;;) {
    const Turn turn = wait_for(queue, bound);
    if (turn != Turn::mine || queue.order != Order::priority) return turn;
    if (!hold(queue)) return Turn::over;
    if (!queue.exposed && ready(queue)) return Turn::mine;
    queue.guard.unlock();
    if (queue.exposed) return Turn::exposed;
  }
}

void let_go(QueueObject& queue) {
  if (queue.order == Order::priority) queue.guard.unlock();
}

PyObject* put_item(PyObject* self, PyObject* item, const Bound& bound) {
  QueueObject& queue = object_of(self);
  if (queue.is_shutdown) return raise("ShutDown");
  const auto ready = [](const QueueObject& q) { return !is_full(q); };
  switch (wait_and_hold(queue, bound, &wait_for_slot, ready)) {
    case Turn::mine: break;
    case Turn::exposed: return go_on_exposed("put", self, item, bound);
    case Turn::over: return nullptr;
  }
  const bool stored = store(queue, item);
  let_go(queue);
  if (!stored) {
    queue.putters.wake_one();
    return nullptr;
  }
  ++queue.unfinished_tasks;
  queue.getters.wake_one();
  Py_RETURN_NONE;
}

PyObject* get_item(PyObject* self, const Bound& bound) {
  QueueObject& queue = object_of(self);
  const auto ready = [](const QueueObject& q) { return size_of(q) != 0; };
  switch (wait_and_hold(queue, bound, &wait_for_item, ready)) {
    case Turn::mine: break;
    case Turn::exposed: return go_on_exposed("get", self, nullptr, bound);
    case Turn::over: return nullptr;
  }
  PyObject* const item = take(queue);
  let_go(queue);
  if (item == nullptr) {
    queue.getters.wake_one();
    return nullptr;
  }
  queue.putters.wake_one();
  return item;
}

constexpr const char* kPutParameters[] = {"item", "block", "timeout"};
constexpr const char* kGetParameters[] = {"block", "timeout"};
constexpr const char* kShutdownParameters[] = {"immediate"};

PyObject* put(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (object_of(self).exposed) return call_stdlib("put", self, args, count, names);
  Bound bound{true, Deadline::never(), nullptr};
  if (count == 1 && names == nullptr) return put_item(self, args[0], bound);
  PyObject* values[3];
  if (!read_arguments("Queue.put", args, count, names, kPutParameters, 3, values)) return nullptr;
  if (values[0] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "put() missing 1 required positional argument: 'item'");
    return nullptr;
  }
  // Only a put() that could wait looks at its timeout.
  const bool unbounded = object_of(self).limit <= 0;
  if (!unbounded && !read_bound(values[1], values[2], bound)) return nullptr;
  return put_item(self, values[0], bound);
}

PyObject* get(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (object_of(self).exposed) return call_stdlib("get", self, args, count, names);
  Bound bound{true, Deadline::never(), nullptr};
  if (count == 0 && names == nullptr) return get_item(self, bound);
  PyObject* values[2];
  if (!read_arguments("Queue.get", args, count, names, kGetParameters, 2, values) ||
      !read_bound(values[0], values[1], bound)) {
    return nullptr;
  }
  return get_item(self, bound);
}

PyObject* put_nowait(PyObject* self, PyObject* item) {
  PyObject* const args[] = {item, Py_False};
  if (object_of(self).exposed) return call_stdlib("put", self, args, 2, nullptr);
  return put_item(self, item, {false, Deadline::passed(), nullptr});
}

PyObject* get_nowait(PyObject* self, PyObject*) {
  PyObject* const args[] = {Py_False};
  if (object_of(self).exposed) return call_stdlib("get", self, args, 1, nullptr);
  return get_item(self, {false, Deadline::passed(), nullptr});
}

PyObject* task_done(PyObject* self, PyObject*) {
  QueueObject& queue = object_of(self);
  if (queue.exposed) return call_stdlib("task_done", self, nullptr, 0, nullptr);
  if (queue.unfinished_tasks <= 0) {
    PyErr_SetString(PyExc_ValueError, "task_done() called too many times");
    return nullptr;
  }
  if (--queue.unfinished_tasks == 0) queue.joiners.wake_all();
  Py_RETURN_NONE;
}

PyObject* join(PyObject* self, PyObject*) {
  QueueObject& queue = object_of(self);
  while (!queue.exposed && queue.unfinished_tasks > 0) {
    if (wait_in(queue.joiners, Deadline::never(), false) == Wait::raised) return nullptr;
  }
  if (queue.exposed) return call_stdlib("join", self, nullptr, 0, nullptr);
  Py_RETURN_NONE;
}

PyObject* qsize(PyObject* self, PyObject*) {
  if (object_of(self).exposed) return call_stdlib("qsize", self, nullptr, 0, nullptr);
  return PyLong_FromSsize_t(size_of(object_of(self)));
}

PyObject* empty(PyObject* self, PyObject*) {
  if (object_of(self).exposed) return call_stdlib("empty", self, nullptr, 0, nullptr);
  return boolean(size_of(object_of(self)) == 0);
}

PyObject* full(PyObject* self, PyObject*) {
  if (object_of(self).exposed) return call_stdlib("full", self, nullptr, 0, nullptr);
  return boolean(is_full(object_of(self)));
}

PyObject* shut_down(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  QueueObject& queue = object_of(self);
  if (queue.exposed) return call_stdlib("shutdown", self, args, count, names);
  PyObject* immediate = nullptr;
  if (!read_arguments("Queue.shutdown", args, count, names, kShutdownParameters, 1, &immediate)) return nullptr;
  const int at_once = immediate != nullptr ? PyObject_IsTrue(immediate) : 0;
  if (at_once < 0) return nullptr;
  queue.is_shutdown = true;
  while (at_once == 1 && size_of(queue) != 0) {
    PyObject* item = nullptr;
    if (queue.order == Order::priority) {
      item = new_reference(PyList_GET_ITEM(queue.heap, size_of(queue) - 1));
      if (PyList_SetSlice(queue.heap, size_of(queue) - 1, size_of(queue), nullptr) < 0) return nullptr;
    } else {
      item = queue.ring.pop_front();
    }
    if (queue.unfinished_tasks > 0) --queue.unfinished_tasks;
    Py_DECREF(item);
  }
  if (at_once == 1) queue.joiners.wake_all();  // those with tasks left wait on
  queue.getters.wake_all();
  queue.putters.wake_all();
  Py_RETURN_NONE;
}

// --- SimpleQueue: no bound, no tasks ---

PyObject* simple_put(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* item = count == 1 && names == nullptr ? args[0] : nullptr;
  if (item == nullptr) {
    PyObject* values[3];
    if (!read_arguments("put", args, count, names, kPutParameters, 3, values)) return nullptr;
    item = values[0];
  }
  if (item == nullptr) {
    PyErr_SetString(PyExc_TypeError, "put() missing required argument 'item' (pos 1)");
    return nullptr;
  }
  if (!object_of(self).ring.push(item)) return nullptr;
  object_of(self).getters.wake_one();
  Py_RETURN_NONE;
}

constexpr const char* kItemParameter[] = {"item"};

PyObject* simple_put_nowait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* item = nullptr;
  if (!read_arguments("put_nowait", args, count, names, kItemParameter, 1, &item)) return nullptr;
  return simple_put(self, &item, item != nullptr ? 1 : 0, nullptr);
}

// --- life ---

PyObject* construct_ordered(PyTypeObject* type, Order order) {
  PyObject* const self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  QueueObject& queue = object_of(self);
  new (&queue.guard) threading::RLock;
  queue.order = order;
  if (order == Order::priority) {
    queue.heap = PyList_New(0);
    if (queue.heap == nullptr) {
      Py_DECREF(self);
      return nullptr;
    }
  }
  return self;
}

PyObject* construct(PyTypeObject* type, PyObject*, PyObject*) { return construct_ordered(type, Order::fifo); }
PyObject* construct_lifo(PyTypeObject* type, PyObject*, PyObject*) { return construct_ordered(type, Order::lifo); }
PyObject* construct_priority(PyTypeObject* type, PyObject*, PyObject*) {
  return construct_ordered(type, Order::priority);
}

PyObject* construct_simple(PyTypeObject* type, PyObject* args, PyObject* names) {
  if (type->tp_init == PyBaseObject_Type.tp_init &&
      (PyTuple_GET_SIZE(args) != 0 || (names != nullptr && PyDict_GET_SIZE(names) != 0))) {
    PyErr_SetString(PyExc_TypeError, "SimpleQueue() takes no arguments");
    return nullptr;
  }
  return construct_ordered(type, Order::fifo);
}

// Whether a subclass has hooks of its own: threadingpp.queue marks it.
int has_hooks(PyObject* self) {
  PyObject* const mark = PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(self)), "_has_hooks");
  if (mark == nullptr) {
    PyErr_Clear();
    return 0;
  }
  const int truth = PyObject_IsTrue(mark);
  Py_DECREF(mark);
  return truth;
}

int init(PyObject* self, PyObject* args, PyObject* names) {
  static const char* keywords[] = {"maxsize", nullptr};
  PyObject* maxsize = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, names, "|O:Queue", const_cast<char**>(keywords), &maxsize)) return -1;
  if (maxsize != nullptr && set_maxsize(self, maxsize, nullptr) < 0) return -1;
  const int hooks = has_hooks(self);
  if (hooks <= 0) return hooks;
  object_of(self).exposed = true;
  PyObject* const result = call_stdlib("__init__", self, &maxsize, maxsize != nullptr ? 1 : 0, nullptr);
  Py_XDECREF(result);
  return result != nullptr ? 0 : -1;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  const QueueObject& queue = object_of(self);
  for (Py_ssize_t i = 0; i != queue.ring.count; ++i) {
    Py_VISIT(queue.ring.items[(queue.ring.head + i) & (queue.ring.size - 1)]);
  }
  Py_VISIT(queue.heap);
  for (PyObject* part : queue.parts) Py_VISIT(part);
  Py_VISIT(queue.unfinished);
  Py_VISIT(queue.maxsize);
  Py_VISIT(queue.dict);
  return visit_type(self, visit, arg);
}

int drop(PyObject* self) {
  QueueObject& queue = object_of(self);
  while (queue.ring.count != 0) {
    PyObject* const item = queue.ring.pop_front();
    Py_DECREF(item);
  }
  if (queue.heap != nullptr && PyList_GET_SIZE(queue.heap) != 0) {
    PyList_SetSlice(queue.heap, 0, PyList_GET_SIZE(queue.heap), nullptr);
  }
  for (PyObject*& part : queue.parts) Py_CLEAR(part);
  Py_CLEAR(queue.dict);
  return 0;
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  QueueObject& queue = object_of(self);
  PyObject_GC_UnTrack(self);
  if (queue.weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  drop(self);
  Py_CLEAR(queue.heap);
  Py_CLEAR(queue.unfinished);
  Py_CLEAR(queue.maxsize);
  PyMem_Free(queue.ring.items);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* class_getitem(PyObject* type, PyObject* item) {
#if PY_VERSION_HEX >= 0x03090000
  return Py_GenericAlias(type, item);
#else
  static_cast<void>(item);
  return new_reference(type);
#endif
}

void* part(Part index) { return reinterpret_cast<void*>(static_cast<std::intptr_t>(index)); }

PyMethodDef methods[] = {
    {"put", as_method(&put), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("put(item, block=True, timeout=None)\n\nPut an item in; wait for a free slot, or raise Full.")},
    {"get", as_method(&get), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("get(block=True, timeout=None)\n\nTake an item out; wait for one, or raise Empty.")},
    {"put_nowait", &put_nowait, METH_O, PyDoc_STR("put(item, block=False)")},
    {"get_nowait", &get_nowait, METH_NOARGS, PyDoc_STR("get(block=False)")},
    {"task_done", &task_done, METH_NOARGS, PyDoc_STR("One item that was taken out has been worked on.")},
    {"join", &join, METH_NOARGS, PyDoc_STR("Wait until all items have been worked on.")},
    {"qsize", &qsize, METH_NOARGS, PyDoc_STR("About how many items there are.")},
    {"empty", &empty, METH_NOARGS, PyDoc_STR("Whether there is no item, at this moment.")},
    {"full", &full, METH_NOARGS, PyDoc_STR("Whether there is no free slot, at this moment.")},
    {"__class_getitem__", &class_getitem, METH_O | METH_CLASS, nullptr},
    {kHasQueueShutdown ? "shutdown" : nullptr, as_method(&shut_down), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("shutdown(immediate=False)\n\nNo more items; once empty, or at once, raise ShutDown.")},
    {nullptr, nullptr, 0, nullptr}};
PyMethodDef simple_methods[] = {
    {"put", as_method(&simple_put), METH_FASTCALL | METH_KEYWORDS, PyDoc_STR("put(item, block=True, timeout=None)")},
    {"get", as_method(&get), METH_FASTCALL | METH_KEYWORDS, PyDoc_STR("get(block=True, timeout=None)")},
    {"put_nowait", as_method(&simple_put_nowait), METH_FASTCALL | METH_KEYWORDS, PyDoc_STR("put_nowait(item)")},
    {"get_nowait", &get_nowait, METH_NOARGS, PyDoc_STR("get_nowait()")},
    {"qsize", &qsize, METH_NOARGS, PyDoc_STR("About how many items there are.")},
    {"empty", &empty, METH_NOARGS, PyDoc_STR("Whether there is no item, at this moment.")},
    {"__class_getitem__", &class_getitem, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {kDictGetter,
                        {"mutex", &get_part, &set_part, nullptr, part(kMutex)},
                        {"not_empty", &get_part, &set_part, nullptr, part(kNotEmpty)},
                        {"not_full", &get_part, &set_part, nullptr, part(kNotFull)},
                        {"all_tasks_done", &get_part, &set_part, nullptr, part(kAllTasksDone)},
                        {"queue", &get_part, &set_part, nullptr, part(kItems)},
                        {"unfinished_tasks", &get_unfinished, &set_unfinished, nullptr, nullptr},
                        {"maxsize", &get_maxsize, &set_maxsize, nullptr, nullptr},
                        {kHasQueueShutdown ? "is_shutdown" : nullptr, &get_shutdown, &set_shutdown, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyGetSetDef simple_getset[] = {kDictGetter, {nullptr, nullptr, nullptr, nullptr, nullptr}};

constexpr unsigned kFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;

PyObject* make(PyObject* module, const char* name, newfunc construct_one, bool simple) {
  PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                         {Py_tp_new, as_slot(construct_one)},
                         {Py_tp_traverse, as_slot(&traverse)},
                         {Py_tp_clear, as_slot(&drop)},
                         {Py_tp_methods, simple ? simple_methods : methods},
                         {Py_tp_getset, simple ? simple_getset : getset},
                         {simple ? 0 : Py_tp_init, as_slot(&init)},
                         {0, nullptr}};
  PyType_Spec spec{name, sizeof(QueueObject), 0, kFlags, slots};
  TypeExtras extras;
  extras.dict = offsetof(QueueObject, dict);
  extras.weakrefs = offsetof(QueueObject, weakrefs);
  return make_type(module, spec, extras);
}

// A queue of another order: a subclass that begins differently.
PyObject* make_ordered(PyObject* module, const char* name, newfunc construct_one) {
  PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                         {Py_tp_new, as_slot(construct_one)},
                         {Py_tp_traverse, as_slot(&traverse)},
                         {Py_tp_clear, as_slot(&drop)},
                         {0, nullptr}};
  PyType_Spec spec{name, sizeof(QueueObject), 0, kFlags, slots};
  PyObject* const base = PyObject_GetAttrString(module, "Queue");
  TypeExtras extras;
  extras.bases = base != nullptr ? PyTuple_Pack(1, base) : nullptr;
  Py_XDECREF(base);
  if (extras.bases == nullptr) return nullptr;
  PyObject* const type = make_type(module, spec, extras);
  Py_DECREF(extras.bases);
  return type;
}

}  // namespace

PyObject* make_queue_type(PyObject* module) { return make(module, "queue.Queue", &construct, false); }
PyObject* make_lifo_queue_type(PyObject* module) { return make_ordered(module, "queue.LifoQueue", &construct_lifo); }
PyObject* make_priority_queue_type(PyObject* module) {
  return make_ordered(module, "queue.PriorityQueue", &construct_priority);
}
PyObject* make_simple_queue_type(PyObject* module) {
  return make(module, "queue.SimpleQueue", &construct_simple, true);
}

}  // namespace face
