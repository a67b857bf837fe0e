// SPDX-License-Identifier: MIT
//
// Queue, LifoQueue, PriorityQueue and SimpleQueue of the module `queue`. The GIL guards them: a put() or get() that
// does not wait is a few stores. (A free-threaded build keeps the stdlib's.)
//
// States   native: items are in `ring` (or, of a PriorityQueue, in `heap`), and threads wait in our lists.
//          exposed: somebody has asked for `mutex`, `not_empty`, `queue` …, or a subclass has hooks (_put, _get …) of
//          its own. Then these are real objects, and every call runs the stdlib's own method on them, so that code
//          that holds the mutex, or waits on a condition, is honoured. There is no way back.
//          shared: C++ owns it as well. Everything is in a threading::python::Queue; queue_shared.cpp.
// I1       Everything here is read and written with the GIL held. Nothing is kept across a call that may let it go
//          (a wait, a comparison of items), except through `self`.
// I2       A waiter is in a list until whoever wakes it removes it; it lives on the heap, because the thread that waits
//          may be ended by the interpreter's shutdown with no chance to leave the list.
// I3       Each put() wakes one getter, each get() one putter. One that was woken and then does not use its turn passes
//          it on.
//
// queue_parts.cpp exposes, queue_waiting.cpp waits, queue_shared.cpp is for shared ones, queue_calls.cpp has the
// methods, queue_type.cpp the types.
#pragma once

#include <cstdint>
#include <memory>

#include <threading/python_queue.hpp>

#include "arguments.hpp"
#include "objects.hpp"
#include "without_gil.hpp"

namespace face::queue {

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
enum class Mode : unsigned char { native, exposed, shared };
enum class Method : unsigned char { put, get, task_done, join, qsize, empty, full, shutdown };
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
  Mode mode;
  bool is_shutdown;
  bool calls_by_name;  // a subclass with its own put() or get()
  PyObject* parts[kParts];
  std::shared_ptr<threading::python::Queue>* shared;  // of a shared one
  PyObject* dict;
  PyObject* weakrefs;
};

inline QueueObject& object_of(PyObject* self) { return *reinterpret_cast<QueueObject*>(self); }

inline Py_ssize_t size_of(const QueueObject& self) {
  return self.order == Order::priority ? PyList_GET_SIZE(self.heap) : self.ring.count;
}
inline bool is_full(const QueueObject& self) { return self.limit > 0 && size_of(self) >= self.limit; }

// --- the stdlib, and parts ---

// What threadingpp.queue has kept of the stdlib's module: exceptions, and methods for exposed queues. New reference.
PyObject* stdlib(const char* name);
// Raises one of its exceptions. Returns: null.
PyObject* raise(const char* name);
// Runs a method of a queue that is not native: the stdlib's own on an exposed one.
PyObject* call_elsewhere(Method method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);
// The stdlib's own method.
PyObject* call_stdlib(const char* method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);

// Attributes. `index` is a Part.
PyObject* get_part(PyObject* self, void* index);
int set_part(PyObject* self, PyObject* value, void* index);
PyObject* get_unfinished(PyObject* self, void*);
int set_unfinished(PyObject* self, PyObject* value, void*);
PyObject* get_maxsize(PyObject* self, void*);
int set_maxsize(PyObject* self, PyObject* value, void*);
PyObject* get_shutdown(PyObject* self, void*);
int set_shutdown(PyObject* self, PyObject* value, void*);

// --- shared ---

// What C++ does with a reference that it drops.
void discard(threading::python::detail::Held* held) noexcept;
// Lets go of what was dropped. Requires: the GIL.
void drain();
// Puts a block into a new queue. New reference, or null with an exception set.
PyObject* wrap_shared(const std::shared_ptr<threading::python::Queue>& block);
PyObject* call_shared(Method method, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);
PyObject* get_shared_part(PyObject* self, Part index);
// Attributes, as queue_parts.cpp's.
PyObject* get_shared_number(PyObject* self, bool is_maxsize);
int set_shared_maxsize(PyObject* self, Py_ssize_t limit);
bool is_shut_down(PyObject* self);

// --- waiting ---

struct Bound {
  bool blocking;
  Deadline deadline;
  PyObject* timeout;  // as given
};

// block=True, timeout=None. Returns: false with an exception set.
bool read_bound(PyObject* block, PyObject* timeout, Bound& bound);

enum class Wait { woken, timed_out, raised };
Wait wait_in(Waiters& list, Pieces& pieces, bool in_front);

// What a wait for a slot or an item has ended with. over: an exception is set.
enum class Turn { mine, exposed, over };
Turn wait_for_slot(QueueObject& queue, const Bound& bound);
Turn wait_for_item(QueueObject& queue, const Bound& bound);

// --- a heap's own lock ---

// Keeps others out of the heap while items compare themselves. May let the GIL go: look at everything again.
inline bool hold(QueueObject& self) {
  return self.guard.try_lock() || wait_for_lock(self.guard, false, Deadline::never()) == 1;
}

// --- methods ---

using Call = PyObject*(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);
Call put;
Call get;
Call put_nowait;
Call shut_down;
Call simple_put;
Call simple_put_nowait;
PyObject* get_nowait(PyObject* self, PyObject*);
PyObject* task_done(PyObject* self, PyObject*);
PyObject* join(PyObject* self, PyObject*);
PyObject* qsize(PyObject* self, PyObject*);
PyObject* empty(PyObject* self, PyObject*);
PyObject* full(PyObject* self, PyObject*);

}  // namespace face::queue
