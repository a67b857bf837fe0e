// SPDX-License-Identifier: MIT
//
// Python's exceptions under their own names, each derived from the standard exception that a C++ program would catch.
// what() is CPython's own message, so that a search for it finds the answer.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

#include <threading/detail/config.hpp>

namespace threading::inline v1 {

// An operation that the object's state forbids: releasing an unlocked lock, starting a thread twice …
class THREADING_API RuntimeError : public std::system_error {
 public:
  explicit RuntimeError(const std::string& message, std::errc code = std::errc::operation_not_permitted);
  ~RuntimeError() override;
  // Exactly the message, without the text of code().
  const char* what() const noexcept override;

 private:
  std::runtime_error message_;  // a string that copies without throwing
};

// A Barrier was broken, aborted or reset while, or before, this thread waited. The message is empty, as in Python.
class THREADING_API BrokenBarrierError : public RuntimeError {
 public:
  BrokenBarrierError();
  ~BrokenBarrierError() override;
};

// The call could never return: a thread that joins itself. Python raises plain RuntimeError; this is one.
class THREADING_API DeadlockError : public RuntimeError {
 public:
  explicit DeadlockError(const std::string& message);
  ~DeadlockError() override;
};

// An argument outside its domain: NaN seconds, a negative semaphore value …
class THREADING_API ValueError : public std::invalid_argument {
 public:
  explicit ValueError(const std::string& message);
  ~ValueError() override;
};

// A number that does not fit: a timeout above TIMEOUT_MAX, a semaphore counter past its range …
class THREADING_API OverflowError : public std::overflow_error {
 public:
  explicit OverflowError(const std::string& message);
  ~OverflowError() override;
};

// A local<> has no attribute of this name in this thread.
class THREADING_API AttributeError : public std::out_of_range {
 public:
  explicit AttributeError(const std::string& message);
  ~AttributeError() override;
};

}  // namespace threading::inline v1
