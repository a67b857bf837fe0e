// SPDX-License-Identifier: MIT
#include "arguments.hpp"

#include <climits>
#include <cmath>

#include "objects.hpp"

namespace face {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
const double kTimeoutMax = threading::TIMEOUT_MAX.count();

// Rounded up: no wait is shorter than asked for. Requires: 0 <= seconds <= TIMEOUT_MAX.
std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(std::ceil(seconds * kNanosecondsPerSecond));
}

// Reads a plain number of seconds. Returns: false for anything else.
bool read_seconds(PyObject* object, double& seconds) {
  if (PyFloat_CheckExact(object)) {
    seconds = PyFloat_AS_DOUBLE(object);
    return true;
  }
  if (!PyLong_CheckExact(object)) return false;
  int overflow = 0;
  const long long whole = PyLong_AsLongLongAndOverflow(object, &overflow);
  seconds = static_cast<double>(whole);
  return overflow == 0;
}

// Puts the arguments to a free lock of the stdlib's. Returns: false with the exception that it raises.
bool stdlib_accepts(PyObject* const* args, Py_ssize_t count, PyObject* names) {
  PyObject* const factory = module_attribute("_stdlib_lock");
  if (factory == nullptr) return false;
  PyObject* const lock = PyObject_CallObject(factory, nullptr);
  Py_DECREF(factory);
  if (lock == nullptr) return false;
  PyObject* const acquire = PyObject_GetAttrString(lock, "acquire");
  Py_DECREF(lock);
  if (acquire == nullptr) return false;
  PyObject* const result = call_vector(acquire, args, count, names);
  Py_DECREF(acquire);
  Py_XDECREF(result);
  return result != nullptr;
}

bool stdlib_accepts_timeout(PyObject* timeout) {
  PyObject* const args[] = {Py_True, timeout};
  return stdlib_accepts(args, 2, nullptr);
}

// A number that the stdlib has accepted as seconds.
bool convert_seconds(PyObject* object, double& seconds) {
  PyObject* const number = PyNumber_Float(object);
  if (number == nullptr) return false;
  seconds = PyFloat_AS_DOUBLE(number);
  Py_DECREF(number);
  return true;
}

constexpr const char* kLockParameters[] = {"blocking", "timeout"};

bool read_blocking(PyObject* object, bool& blocking) {
  if (object == Py_True || object == Py_False) {
    blocking = object == Py_True;
    return true;
  }
  if (!PyLong_CheckExact(object)) return false;
  int overflow = 0;
  const long number = PyLong_AsLongAndOverflow(object, &overflow);
  if (overflow != 0 || number > INT_MAX || number < INT_MIN) return false;  // too large for some versions
  blocking = number != 0;
  return true;
}

// What programs pass. Returns: false when it must be looked at closely.
bool read_plain(PyObject* const* values, LockBound& bound) {
  if (values[0] != nullptr && !read_blocking(values[0], bound.blocking)) return false;
  if (values[1] == nullptr) return true;
  double seconds = 0;
  if (!bound.blocking || !read_seconds(values[1], seconds)) return false;
  if (seconds == -1) return true;
  if (!(seconds >= 0 && seconds <= kTimeoutMax)) return false;
  bound.nanoseconds = nanoseconds(seconds);
  return true;
}

// Where a parameter of a call stands. Returns: -1 for none of that name.
Py_ssize_t index_of(PyObject* name, const char* const* names, Py_ssize_t limit) {
  for (Py_ssize_t i = 0; i != limit; ++i) {
    if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) return i;
  }
  return -1;
}

// Sorts arguments by parameter. Returns: false when they do not fit.
bool sort_arguments(PyObject* const* args, Py_ssize_t count, PyObject* keywords, const char* const* names,
                    Py_ssize_t limit, PyObject** values) {
  if (count > limit) return false;
  for (Py_ssize_t i = 0; i != limit; ++i) values[i] = i < count ? args[i] : nullptr;
  const Py_ssize_t named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t i = 0; i != named; ++i) {
    const Py_ssize_t at = index_of(PyTuple_GET_ITEM(keywords, i), names, limit);
    if (at < 0 || values[at] != nullptr) return false;
    values[at] = args[count + i];
  }
  return true;
}

}  // namespace

bool read_lock_bound(PyObject* const* args, Py_ssize_t count, PyObject* names, LockBound& bound) {
  PyObject* values[2];
  const bool fits = sort_arguments(args, count, names, kLockParameters, 2, values);
  if (fits && read_plain(values, bound)) return true;
  if (!stdlib_accepts(args, count, names)) return false;
  bound = {};
  if (!fits) return true;
  if (values[0] != nullptr) {
    const int truth = PyObject_IsTrue(values[0]);
    if (truth < 0) return false;
    bound.blocking = truth != 0;
  }
  double seconds = -1;
  if (values[1] != nullptr && !convert_seconds(values[1], seconds)) return false;
  if (seconds >= 0) bound.nanoseconds = nanoseconds(seconds);
  return true;
}

int compares(PyObject* object, int operation, long number) {
  PyObject* const other = PyLong_FromLong(number);
  if (other == nullptr) return -1;
  const int result = PyObject_RichCompareBool(object, other, operation);
  Py_DECREF(other);
  return result;
}

bool read_timeout(PyObject* timeout, threading::Deadline& deadline) {
  deadline = threading::Deadline::never();
  if (timeout == nullptr || timeout == Py_None) return true;
  double seconds = 0;
  const bool plain = read_seconds(timeout, seconds);
  if (!plain) {
    const int ahead = compares(timeout, Py_GT, 0);
    if (ahead < 0) return false;
    if (ahead == 0) {
      deadline = threading::Deadline::passed();
      return true;
    }
    if (!stdlib_accepts_timeout(timeout) || !convert_seconds(timeout, seconds)) return false;
  }
  const bool out_of_range = kRejectsNan ? !(seconds <= kTimeoutMax) : seconds > kTimeoutMax;
  if (out_of_range && !stdlib_accepts_timeout(timeout)) return false;
  deadline = seconds > 0 ? threading::Deadline::after(nanoseconds(seconds)) : threading::Deadline::passed();
  return true;
}

bool can_be_added(PyObject* timeout) {
  if (timeout == nullptr || timeout == Py_None || PyFloat_CheckExact(timeout)) return true;
  PyObject* const time = PyFloat_FromDouble(0);
  PyObject* const sum = time != nullptr ? PyNumber_Add(time, timeout) : nullptr;
  Py_XDECREF(time);
  Py_XDECREF(sum);
  return sum != nullptr;
}

bool read_arguments(const char* function, PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                    const char* const* names, Py_ssize_t limit, PyObject** values) {
  if (sort_arguments(args, count, keywords, names, limit, values)) return true;
  if (count > limit) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zd positional arguments (%zd given)", function, limit, count);
    return false;
  }
  const Py_ssize_t named = PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i != named; ++i) {
    PyObject* const name = PyTuple_GET_ITEM(keywords, i);
    const Py_ssize_t at = index_of(name, names, limit);
    if (at < 0) {
      PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function, name);
      return false;
    }
    if (at < count) {
      PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", function, name);
      return false;
    }
  }
  PyErr_Format(PyExc_TypeError, "%s() got bad arguments", function);
  return false;
}

}  // namespace face
