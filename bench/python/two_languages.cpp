// SPDX-License-Identifier: MIT
//
// The C++ side of two_languages.py: threads that wake and are woken by Python, over a shared Event without the GIL, or
// over an Event of the stdlib's with it.
#include <threading/python.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace py = threading::python;

namespace {

using Clock = std::chrono::steady_clock;

std::thread worker;       // one at a time, until finish()
std::vector<long> costs;  // nanoseconds of each set(), by `worker`
std::atomic<bool> worker_is_done{false};

template <class Work>
void start(Work work) {
  worker_is_done.store(false, std::memory_order_relaxed);  // relaxed: the thread starts after it
  costs.clear();
  worker = std::thread([work] {
    work();
    // release pairs with is_done(): the costs are there.
    worker_is_done.store(true, std::memory_order_release);
  });
}

template <class Set>
void time_sets(long count, Set set) {
  for (long i = 0; i != count; ++i) {
    const auto begin = Clock::now();
    set();
    costs.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void call(PyObject* object, const char* method) {
  PyObject* const result = PyObject_CallMethod(object, method, nullptr);
  if (result == nullptr) PyErr_WriteUnraisable(object);
  Py_XDECREF(result);
}

// answer(question, reply, count): a C++ thread that never has the GIL answers over two shared Events.
PyObject* answer(PyObject*, PyObject* args) {
  PyObject* objects[2];
  long count = 0;
  if (!PyArg_ParseTuple(args, "OOl", &objects[0], &objects[1], &count)) return nullptr;
  const auto question = py::share<threading::Event>(objects[0]);
  const auto reply = question != nullptr ? py::share<threading::Event>(objects[1]) : nullptr;
  if (reply == nullptr) return nullptr;
  start([question, reply, count] {
    for (long i = 0; i != count; ++i) {
      question->wait();
      question->clear();
      reply->set();
    }
  });
  Py_RETURN_NONE;
}

// answer_with_gil(question, reply, count): the same over any two events, each answer with the GIL in hand. The caller
// keeps them.
PyObject* answer_with_gil(PyObject*, PyObject* args) {
  PyObject* question = nullptr;
  PyObject* reply = nullptr;
  long count = 0;
  if (!PyArg_ParseTuple(args, "OOl", &question, &reply, &count)) return nullptr;
  start([question, reply, count] {
    for (long i = 0; i != count; ++i) {
      const PyGILState_STATE state = PyGILState_Ensure();
      call(question, "wait");
      call(question, "clear");
      call(reply, "set");
      PyGILState_Release(state);
    }
  });
  Py_RETURN_NONE;
}

// time_set(event, count): a C++ thread calls set() now and then, without the GIL.
PyObject* time_set(PyObject*, PyObject* args) {
  PyObject* object = nullptr;
  long count = 0;
  if (!PyArg_ParseTuple(args, "Ol", &object, &count)) return nullptr;
  const auto event = py::share<threading::Event>(object);
  if (event == nullptr) return nullptr;
  start([event, count] { time_sets(count, [&event] { event->set(); }); });
  Py_RETURN_NONE;
}

// time_set_with_gil(event, count): the same through the interpreter. The caller keeps the event.
PyObject* time_set_with_gil(PyObject*, PyObject* args) {
  PyObject* event = nullptr;
  long count = 0;
  if (!PyArg_ParseTuple(args, "Ol", &event, &count)) return nullptr;
  start([event, count] {
    time_sets(count, [event] {
      const PyGILState_STATE state = PyGILState_Ensure();
      call(event, "set");
      PyGILState_Release(state);
    });
  });
  Py_RETURN_NONE;
}

PyObject* is_done(PyObject*, PyObject*) {
  // acquire pairs with start().
  return PyBool_FromLong(worker_is_done.load(std::memory_order_acquire) ? 1 : 0);
}

// finish() -> nanoseconds of each set(), in order of size; waits for the thread.
PyObject* finish(PyObject*, PyObject*) {
  Py_BEGIN_ALLOW_THREADS;
  worker.join();
  Py_END_ALLOW_THREADS;
  std::sort(costs.begin(), costs.end());
  PyObject* const list = PyList_New(0);
  for (const long cost : costs) {
    PyObject* const number = PyLong_FromLong(cost);
    if (number == nullptr || PyList_Append(list, number) < 0) {
      Py_XDECREF(number);
      Py_DECREF(list);
      return nullptr;
    }
    Py_DECREF(number);
  }
  return list;
}

PyMethodDef functions[] = {{"answer", &answer, METH_VARARGS, nullptr},
                           {"answer_with_gil", &answer_with_gil, METH_VARARGS, nullptr},
                           {"time_set", &time_set, METH_VARARGS, nullptr},
                           {"time_set_with_gil", &time_set_with_gil, METH_VARARGS, nullptr},
                           {"is_done", &is_done, METH_NOARGS, nullptr},
                           {"finish", &finish, METH_NOARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};
PyModuleDef definition{
    PyModuleDef_HEAD_INIT, "two_languages_core", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) PyObject* PyInit_two_languages_core() {
  if (!py::import()) return nullptr;
  return PyModule_Create(&definition);
}
