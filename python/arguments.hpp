// SPDX-License-Identifier: MIT
//
// Arguments of the blocking calls. What every program passes is read here; everything else is put to the stdlib's own
// objects, so that errors are exactly those of the running interpreter.
#pragma once

#include <cstdint>

#include <threading/timeout.hpp>

#include "interpreter.hpp"

namespace face {

struct LockBound {
  bool blocking = true;
  std::int64_t nanoseconds = -1;  // negative: for ever

  threading::Deadline deadline() const {
    if (!blocking) return threading::Deadline::passed();
    return nanoseconds < 0 ? threading::Deadline::never() : threading::Deadline::after(nanoseconds);
  }
};

// acquire(blocking=True, timeout=-1) of Lock and RLock. Returns: false with an exception set.
bool read_lock_bound(PyObject* const* args, Py_ssize_t count, PyObject* names, LockBound& bound);

// The timeout of the others: None is for ever, zero or less has passed. Returns: false with an exception set.
bool read_timeout(PyObject* timeout, threading::Deadline& deadline);

// The same for the methods of which the stdlib's wait in a loop: they begin by adding the timeout to the time, and it
// is the addition that complains about what is no number.
bool can_be_added(PyObject* timeout);
inline bool read_loop_timeout(PyObject* timeout, threading::Deadline& deadline) {
  return can_be_added(timeout) && read_timeout(timeout, deadline);
}

// Whether `object` is Py_LT, Py_GT … a number. Returns: -1 with an exception set.
int compares(PyObject* object, int operation, long number);

// Up to `limit` parameters that may be positional or named, into `values` (borrowed; null when absent).
// Returns: false with TypeError set. `names` are the parameters', in order.
bool read_arguments(const char* function, PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                    const char* const* names, Py_ssize_t limit, PyObject** values);

}  // namespace face
