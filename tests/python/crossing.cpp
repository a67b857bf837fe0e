// SPDX-License-Identifier: MIT
//
// C++ threads that never take the interpreter's lock, for crossing_test.py: they put into and get from queues that
// Python made, or made here. And one that does, for dump_test.py.
#include <threading/python.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace py = threading::python;

namespace {

struct Point {
  int x;
  int y;
};
PyObject* tuple_of(Point& point) { return Py_BuildValue("(ii)", point.x, point.y); }
PyObject* refuse(Point&) {
  PyErr_SetString(PyExc_ZeroDivisionError, "no such point");
  return nullptr;
}

std::shared_ptr<py::Queue> queue_in(PyObject* args, Py_ssize_t index) {
  return py::share<py::Queue>(PyTuple_GET_ITEM(args, index));
}

// What an item is for C++, as text.
std::string describe(const py::Item& item) {
  if (item.is_none()) return "none";
  if (const auto* truth = item.get_if<bool>()) return *truth ? "true" : "false";
  if (const auto* number = item.get_if<std::int64_t>()) return "int " + std::to_string(*number);
  if (const auto* number = item.get_if<double>()) return "double " + std::to_string(*number);
  if (const auto* text = item.get_if<std::string>()) return "text " + *text;
  if (const auto* bytes = item.get_if<py::Bytes>()) return "bytes " + bytes->data;
  if (const auto* point = item.get_if<Point>()) return "point " + std::to_string(point->x);
  return item.is_object() ? "object" : "?";
}

// What a worker makes of it.
py::Item answer_to(py::Item item) {
  if (const auto* number = item.get_if<std::int64_t>()) return *number + 1;
  if (const auto* number = item.get_if<double>()) return *number * 2;
  if (const auto* text = item.get_if<std::string>()) return *text + "!";
  if (const auto* bytes = item.get_if<py::Bytes>()) {
    return py::Bytes{std::string(bytes->data.rbegin(), bytes->data.rend())};
  }
  return item;
}

// answer(questions, answers): from now on a C++ thread answers, until the questions are shut down or None comes.
PyObject* answer(PyObject*, PyObject* args) {
  auto questions = queue_in(args, 0);
  auto answers = questions != nullptr ? queue_in(args, 1) : nullptr;
  if (answers == nullptr) return nullptr;
  std::thread([questions, answers] {
    try {
      for (;;) {
        py::Item item = std::move(*questions->get());
        const bool last = item.is_none();
        answers->put(answer_to(std::move(item)));
        questions->task_done();
        if (last) return;
      }
    } catch (const py::ShutDown&) {
      answers->put("shut down");
    }
  }).detach();
  Py_RETURN_NONE;
}

// produce(queue, threads, each): C++ threads put the integers from 0 to threads * each - 1.
PyObject* produce(PyObject*, PyObject* args) {
  const auto queue = queue_in(args, 0);
  if (queue == nullptr) return nullptr;
  const long threads = PyLong_AsLong(PyTuple_GET_ITEM(args, 1));
  const long each = PyLong_AsLong(PyTuple_GET_ITEM(args, 2));
  for (long i = 0; i != threads; ++i) {
    std::thread([queue, i, each] {
      for (long item = i * each; item != (i + 1) * each; ++item) queue->put(item);
    }).detach();
  }
  Py_RETURN_NONE;
}

// consume(queue, results, count): a C++ thread takes so many integers and puts their sum.
PyObject* consume(PyObject*, PyObject* args) {
  const auto queue = queue_in(args, 0);
  const auto results = queue != nullptr ? queue_in(args, 1) : nullptr;
  if (results == nullptr) return nullptr;
  const long count = PyLong_AsLong(PyTuple_GET_ITEM(args, 2));
  std::thread([queue, results, count] {
    std::int64_t sum = 0;
    for (long i = 0; i != count; ++i) {
      sum += *queue->get()->get_if<std::int64_t>();
      queue->task_done();
    }
    results->put(sum);
  }).detach();
  Py_RETURN_NONE;
}

// take(queue) -> what C++ sees in the next item; None if there is none.
PyObject* take(PyObject*, PyObject* args) {
  const auto queue = queue_in(args, 0);
  if (queue == nullptr) return nullptr;
  const auto item = queue->try_get();
  if (!item.has_value()) Py_RETURN_NONE;
  return PyUnicode_FromString(describe(*item).c_str());
}

// give(queue): one of each.
PyObject* give(PyObject*, PyObject* args) {
  const auto queue = queue_in(args, 0);
  if (queue == nullptr) return nullptr;
  queue->put(py::Item());
  queue->put(true);
  queue->put(-7);
  queue->put(std::int64_t{1} << 62);
  queue->put(0.5);
  queue->put("text ä");
  queue->put(std::string("\xff", 1));
  queue->put(py::Bytes{std::string("a\0b", 3)});
  queue->put(py::Item::own(Point{3, 4}, &tuple_of));
  queue->put(py::Item::own(Point{3, 4}, &refuse));
  Py_RETURN_NONE;
}

// send(queue, item): a Python object, put by C++ with the GIL.
PyObject* send(PyObject*, PyObject* args) {
  const auto queue = queue_in(args, 0);
  if (queue == nullptr) return nullptr;
  return PyBool_FromLong(queue->try_put(py::item(PyTuple_GET_ITEM(args, 1))));
}

// borrow(queue) -> qsize by the borrowed object.
PyObject* borrow(PyObject*, PyObject* args) {
  const auto* const queue = py::from_python<py::Queue>(PyTuple_GET_ITEM(args, 0));
  return queue != nullptr ? PyLong_FromSize_t(queue->size()) : nullptr;
}

// made_here(maxsize) -> (queue, same).
PyObject* made_here(PyObject*, PyObject* args) {
  const auto queue = std::make_shared<py::Queue>(PyLong_AsSize_t(PyTuple_GET_ITEM(args, 0)));
  PyObject* const one = py::to_python(queue);
  PyObject* const two = one != nullptr ? py::to_python(queue) : nullptr;
  return two != nullptr ? Py_BuildValue("NN", one, two) : nullptr;
}

// shut_down(queue, immediate)
PyObject* shut_down(PyObject*, PyObject* args) {
  const auto queue = queue_in(args, 0);
  if (queue == nullptr) return nullptr;
  queue->shutdown(PyTuple_GET_ITEM(args, 1) == Py_True);
  Py_RETURN_NONE;
}

// at_exit(queue): once the interpreter is gone, takes what is left, and lets another thread put and get.
std::shared_ptr<py::Queue>* kept = nullptr;
void use_after_the_end() {
  const std::shared_ptr<py::Queue> queue = *kept;
  std::string text = Py_IsInitialized() ? "still there:" : "after the end:";
  while (auto item = queue->try_get()) text += " " + describe(*item);
  std::thread([queue] { queue->put("from a thread"); }).join();
  text += " " + describe(*queue->get()) + "\n";
  static_cast<void>(!write(1, text.data(), text.size()));
  delete kept;
}
PyObject* at_exit(PyObject*, PyObject* args) {
  auto queue = queue_in(args, 0);
  if (queue == nullptr) return nullptr;
  kept = new std::shared_ptr<py::Queue>(std::move(queue));
  std::atexit(&use_after_the_end);
  Py_RETURN_NONE;
}

// join(thread, results): a C++ thread joins a Python one, and puts whether it is alive.
PyObject* join(PyObject*, PyObject* args) {
  const auto thread = py::share<threading::Thread>(PyTuple_GET_ITEM(args, 0));
  const auto results = thread != nullptr ? queue_in(args, 1) : nullptr;
  if (results == nullptr) return nullptr;
  std::thread([thread, results] {
    try {
      thread->join();
      results->put(thread->is_alive());
    } catch (const threading::RuntimeError& error) {
      results->put(error.what());
    }
  }).detach();
  Py_RETURN_NONE;
}

// take_and_tell(lock, event): a C++ thread takes the lock, gives it back, and sets the event.
PyObject* take_and_tell(PyObject*, PyObject* args) {
  const auto lock = py::share<threading::Lock>(PyTuple_GET_ITEM(args, 0));
  const auto event = lock != nullptr ? py::share<threading::Event>(PyTuple_GET_ITEM(args, 1)) : nullptr;
  if (event == nullptr) return nullptr;
  std::thread([lock, event] {
    lock->acquire();
    lock->release();
    event->set();
  }).detach();
  Py_RETURN_NONE;
}

// look(thread) -> (ident or 0, is_alive, daemon), as C++ sees it.
PyObject* look(PyObject*, PyObject* args) {
  const auto* const thread = py::from_python<threading::Thread>(PyTuple_GET_ITEM(args, 0));
  if (thread == nullptr) return nullptr;
  return Py_BuildValue("kNN", static_cast<unsigned long>(thread->ident().value_or(0)),
                       PyBool_FromLong(thread->is_alive()), PyBool_FromLong(thread->daemon()));
}

// start(event, name) -> (handle, same) of a thread of C++ that waits for the event.
PyObject* start(PyObject*, PyObject* args) {
  const auto event = py::share<threading::Event>(PyTuple_GET_ITEM(args, 0));
  if (event == nullptr) return nullptr;
  const char* const name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(args, 1));
  const auto thread = std::make_shared<threading::Thread>([event] { event->wait(); });
  thread->name(name);
  thread->start();
  PyObject* const one = py::to_python(thread);
  PyObject* const two = one != nullptr ? py::to_python(thread) : nullptr;
  return two != nullptr ? Py_BuildValue("NN", one, two) : nullptr;
}

// call(function): on a C++ thread that has taken an RLock before it has anything to do with Python. Returns when that
// thread has ended.
PyObject* call(PyObject*, PyObject* args) {
  std::thread thread([function = PyTuple_GET_ITEM(args, 0)] {
    threading::RLock lock;
    lock.lock();
    lock.unlock();
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject* const result = PyObject_CallObject(function, nullptr);
    if (result == nullptr) PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
    PyGILState_Release(state);
  });
  Py_BEGIN_ALLOW_THREADS;
  thread.join();
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {{"call", &call, METH_VARARGS, nullptr},
                           {"join", &join, METH_VARARGS, nullptr},
                           {"take_and_tell", &take_and_tell, METH_VARARGS, nullptr},
                           {"look", &look, METH_VARARGS, nullptr},
                           {"start", &start, METH_VARARGS, nullptr},
                           {"answer", &answer, METH_VARARGS, nullptr},
                           {"produce", &produce, METH_VARARGS, nullptr},
                           {"consume", &consume, METH_VARARGS, nullptr},
                           {"take", &take, METH_VARARGS, nullptr},
                           {"give", &give, METH_VARARGS, nullptr},
                           {"send", &send, METH_VARARGS, nullptr},
                           {"borrow", &borrow, METH_VARARGS, nullptr},
                           {"made_here", &made_here, METH_VARARGS, nullptr},
                           {"shut_down", &shut_down, METH_VARARGS, nullptr},
                           {"at_exit", &at_exit, METH_VARARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};
PyModuleDef definition{PyModuleDef_HEAD_INIT, "crossing", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) PyObject* PyInit_crossing() {
  if (!py::import()) return nullptr;
  return PyModule_Create(&definition);
}
