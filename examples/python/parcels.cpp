// SPDX-License-Identifier: MIT
//
// A Python module with workers in C++: they take texts out of a Queue that Python fills and put numbers into one that
// Python empties, at full speed while Python computes. See send_parcels.py.
#include <threading/python.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace py = threading::python;

namespace {

std::int64_t count_vowels(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return std::string("aeiou").find(c) != std::string::npos; });
}

// work(parcels, results, threads): C++ threads count vowels until a None comes for each.
PyObject* work(PyObject*, PyObject* args) {
  PyObject* parcels_object = nullptr;
  PyObject* results_object = nullptr;
  int threads = 0;
  if (!PyArg_ParseTuple(args, "OOi", &parcels_object, &results_object, &threads)) return nullptr;
  const auto parcels = py::share<py::Queue>(parcels_object);
  const auto results = parcels != nullptr ? py::share<py::Queue>(results_object) : nullptr;
  if (results == nullptr) return nullptr;
  for (int i = 0; i != threads; ++i) {
    std::thread([parcels, results] {
      while (const auto item = parcels->get()) {
        const auto* const text = item->get_if<std::string>();
        if (text == nullptr) return;  // None, or something else that is no text
        results->put(count_vowels(*text));
      }
    }).detach();
  }
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {{"work", &work, METH_VARARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyModuleDef definition{PyModuleDef_HEAD_INIT, "parcels", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) PyObject* PyInit_parcels() {
  if (!py::import()) return nullptr;
  return PyModule_Create(&definition);
}
