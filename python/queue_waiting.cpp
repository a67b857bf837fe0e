// SPDX-License-Identifier: MIT
//
// Waiting for a slot or an item of a native queue.
#include "queue.hpp"

namespace face::queue {

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

Wait wait_in(Waiters& list, Pieces& pieces, bool in_front) {
  auto* const waiter = new (std::nothrow) Waiter;
  if (waiter == nullptr) {
    PyErr_NoMemory();
    return Wait::raised;
  }
  list.push(waiter, in_front);
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

namespace {

bool may_wait(const Bound& bound) { return bound.blocking && bound.deadline != Deadline::passed(); }

// Not inlined, like line_up_for_item(): what a call needs that waits would cost those that do not.
__attribute__((noinline)) Turn line_up_for_slot(QueueObject& queue, const Bound& bound) {
  if (!may_wait(bound)) return raise("Full"), Turn::over;
  Pieces pieces(bound.deadline);
  for (bool again = false;; again = true) {
    const Wait outcome = wait_in(queue.putters, pieces, again);
    if (outcome == Wait::raised) return Turn::over;
    if (queue.mode == Mode::exposed) return Turn::exposed;
    if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
    if (!is_full(queue)) return Turn::mine;
    if (outcome == Wait::timed_out) return raise("Full"), Turn::over;
  }
}

__attribute__((noinline)) Turn line_up_for_item(QueueObject& queue, const Bound& bound) {
  if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
  if (!may_wait(bound)) return raise("Empty"), Turn::over;
  Pieces pieces(bound.deadline);
  for (bool again = false;; again = true) {
    const Wait outcome = wait_in(queue.getters, pieces, again);
    if (outcome == Wait::raised) return Turn::over;
    if (queue.mode == Mode::exposed) return Turn::exposed;
    if (size_of(queue) != 0) return Turn::mine;
    if (outcome == Wait::timed_out) return raise("Empty"), Turn::over;
    if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
  }
}

}  // namespace

Turn wait_for_slot(QueueObject& queue, const Bound& bound) {
  return is_full(queue) ? line_up_for_slot(queue, bound) : Turn::mine;
}

Turn wait_for_item(QueueObject& queue, const Bound& bound) {
  return size_of(queue) == 0 ? line_up_for_item(queue, bound) : Turn::mine;
}

}  // namespace face::queue
