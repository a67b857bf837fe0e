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

Turn wait_for_slot(QueueObject& queue, const Bound& bound) {
  if (!is_full(queue)) return Turn::mine;
  Pieces pieces(bound.deadline);
  for (bool again = false; is_full(queue); again = true) {
    if (!bound.blocking || bound.deadline == Deadline::passed()) return raise("Full"), Turn::over;
    const Wait outcome = wait_in(queue.putters, pieces, again);
    if (outcome == Wait::raised) return Turn::over;
    if (queue.mode == Mode::exposed) return Turn::exposed;
    if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
    if (outcome == Wait::timed_out && is_full(queue)) return raise("Full"), Turn::over;
  }
  return Turn::mine;
}

Turn wait_for_item(QueueObject& queue, const Bound& bound) {
  if (size_of(queue) != 0) return Turn::mine;
  Pieces pieces(bound.deadline);
  for (bool again = false; size_of(queue) == 0; again = true) {
    if (queue.is_shutdown) return raise("ShutDown"), Turn::over;
    if (!bound.blocking || bound.deadline == Deadline::passed()) return raise("Empty"), Turn::over;
    const Wait outcome = wait_in(queue.getters, pieces, again);
    if (outcome == Wait::raised) return Turn::over;
    if (queue.mode == Mode::exposed) return Turn::exposed;
    if (outcome == Wait::timed_out && size_of(queue) == 0) return raise("Empty"), Turn::over;
  }
  return Turn::mine;
}

}  // namespace face::queue
