// SPDX-License-Identifier: MIT
//
// The methods.
#include "queue.hpp"

namespace face::queue {
namespace {

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

// The same for a PriorityQueue, which is held when this returns `mine`.
template <class WaitFor>
Turn wait_and_hold(QueueObject& queue, const Bound& bound, WaitFor wait_for, bool (*ready)(const QueueObject&)) {
  for (;;) {
    const Turn turn = wait_for(queue, bound);
    if (turn != Turn::mine || queue.order != Order::priority) return turn;
    if (!hold(queue)) return Turn::over;
    if (queue.mode == Mode::native && ready(queue)) return Turn::mine;
    queue.guard.unlock();
    if (queue.mode == Mode::exposed) return Turn::exposed;
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
constexpr const char* kItemParameter[] = {"item"};
constexpr const char* kGetParameters[] = {"block", "timeout"};
constexpr const char* kShutdownParameters[] = {"immediate"};

// put(item, block=False) or get(block=False) of a subclass, as the stdlib's methods call them. `item` may be null.
PyObject* call_without_waiting(PyObject* self, const char* method, PyObject* item) {
  PyObject* const bound = PyObject_GetAttrString(self, method);
  PyObject* const args = item != nullptr ? PyTuple_Pack(1, item) : PyTuple_New(0);
  PyObject* const names = Py_BuildValue("{sO}", "block", Py_False);
  PyObject* const result =
      bound != nullptr && args != nullptr && names != nullptr ? PyObject_Call(bound, args, names) : nullptr;
  Py_XDECREF(bound);
  Py_XDECREF(args);
  Py_XDECREF(names);
  return result;
}

}  // namespace

PyObject* put(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::put, self, args, count, names);
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
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::get, self, args, count, names);
  Bound bound{true, Deadline::never(), nullptr};
  if (count == 0 && names == nullptr) return get_item(self, bound);
  PyObject* values[2];
  if (!read_arguments("Queue.get", args, count, names, kGetParameters, 2, values) ||
      !read_bound(values[0], values[1], bound)) {
    return nullptr;
  }
  return get_item(self, bound);
}

PyObject* put_nowait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* item = count == 1 && names == nullptr ? args[0] : nullptr;
  if (item == nullptr) {
    if (!read_arguments("Queue.put_nowait", args, count, names, kItemParameter, 1, &item)) return nullptr;
    if (item == nullptr) {
      PyErr_SetString(PyExc_TypeError, "put_nowait() missing 1 required positional argument: 'item'");
      return nullptr;
    }
  }
  if (object_of(self).calls_by_name) return call_without_waiting(self, "put", item);
  PyObject* const put_args[] = {item, Py_False};
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::put, self, put_args, 2, nullptr);
  return put_item(self, item, {false, Deadline::passed(), nullptr});
}

PyObject* get_nowait(PyObject* self, PyObject*) {
  if (object_of(self).calls_by_name) return call_without_waiting(self, "get", nullptr);
  PyObject* const args[] = {Py_False};
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::get, self, args, 1, nullptr);
  return get_item(self, {false, Deadline::passed(), nullptr});
}

PyObject* task_done(PyObject* self, PyObject*) {
  QueueObject& queue = object_of(self);
  if (queue.mode != Mode::native) return call_elsewhere(Method::task_done, self, nullptr, 0, nullptr);
  if (queue.unfinished_tasks <= 0) {
    PyErr_SetString(PyExc_ValueError, "task_done() called too many times");
    return nullptr;
  }
  if (--queue.unfinished_tasks == 0) queue.joiners.wake_all();
  Py_RETURN_NONE;
}

PyObject* join(PyObject* self, PyObject*) {
  QueueObject& queue = object_of(self);
  Pieces pieces(Deadline::never());
  while (queue.mode == Mode::native && queue.unfinished_tasks > 0) {
    if (wait_in(queue.joiners, pieces, false) == Wait::raised) return nullptr;
  }
  if (queue.mode != Mode::native) return call_elsewhere(Method::join, self, nullptr, 0, nullptr);
  Py_RETURN_NONE;
}

PyObject* qsize(PyObject* self, PyObject*) {
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::qsize, self, nullptr, 0, nullptr);
  return PyLong_FromSsize_t(size_of(object_of(self)));
}

PyObject* empty(PyObject* self, PyObject*) {
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::empty, self, nullptr, 0, nullptr);
  return boolean(size_of(object_of(self)) == 0);
}

PyObject* full(PyObject* self, PyObject*) {
  if (object_of(self).mode != Mode::native) return call_elsewhere(Method::full, self, nullptr, 0, nullptr);
  return boolean(is_full(object_of(self)));
}

PyObject* shut_down(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  QueueObject& queue = object_of(self);
  if (queue.mode != Mode::native) return call_elsewhere(Method::shutdown, self, args, count, names);
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

PyObject* simple_put_nowait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* item = nullptr;
  if (!read_arguments("put_nowait", args, count, names, kItemParameter, 1, &item)) return nullptr;
  return simple_put(self, &item, item != nullptr ? 1 : 0, nullptr);
}

}  // namespace face::queue
