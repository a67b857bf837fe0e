// SPDX-License-Identifier: MIT
//
// A Python module whose C++ threads never take the interpreter's lock, yet ring and answer Python's own Events.
// See ring_doorbell.py.
#include <threading/python.hpp>

#include <memory>
#include <thread>

namespace py = threading::python;

namespace {

// answer(question, reply, count): from now on a C++ thread answers `count` questions.
PyObject* answer(PyObject*, PyObject* args) {
  PyObject* question_object = nullptr;
  PyObject* reply_object = nullptr;
  int count = 0;
  if (!PyArg_ParseTuple(args, "OOi", &question_object, &reply_object, &count)) return nullptr;
  // The thread owns its share: nobody has to keep the Python objects, and it needs no GIL to let go.
  auto question = py::share<threading::Event>(question_object);
  auto reply = question != nullptr ? py::share<threading::Event>(reply_object) : nullptr;
  if (reply == nullptr) return nullptr;
  std::thread([question, reply, count] {
    for (int i = 0; i != count; ++i) {
      question->wait();
      question->clear();
      reply->set();
    }
  }).detach();
  Py_RETURN_NONE;
}

// add(lock, number, count): a C++ thread and Python count under one lock. Returns what it added.
long total = 0;
PyObject* add(PyObject*, PyObject* args) {
  PyObject* object = nullptr;
  long count = 0;
  if (!PyArg_ParseTuple(args, "Ol", &object, &count)) return nullptr;
  auto* const lock = py::from_python<threading::Lock>(object);  // alive as long as the arguments are
  if (lock == nullptr) return nullptr;
  Py_BEGIN_ALLOW_THREADS for (long i = 0; i != count; ++i) {
    lock->lock();
    ++total;
    lock->unlock();
  }
  Py_END_ALLOW_THREADS return PyLong_FromLong(total);
}

// made_here() -> (event, same): an Event made by C++, twice as a Python object.
PyObject* made_here(PyObject*, PyObject*) {
  const auto event = std::make_shared<threading::Event>();
  PyObject* const one = py::to_python(event);
  PyObject* const two = one != nullptr ? py::to_python(event) : nullptr;
  if (two == nullptr) {
    Py_XDECREF(one);
    return nullptr;
  }
  event->set();
  return Py_BuildValue("NN", one, two);
}

PyMethodDef functions[] = {{"answer", &answer, METH_VARARGS, nullptr},
                           {"add", &add, METH_VARARGS, nullptr},
                           {"made_here", &made_here, METH_NOARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};
PyModuleDef definition{PyModuleDef_HEAD_INIT, "doorbell", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) PyObject* PyInit_doorbell() {
  if (!py::import()) return nullptr;
  return PyModule_Create(&definition);
}
