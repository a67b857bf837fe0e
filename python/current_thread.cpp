// SPDX-License-Identifier: MIT
//
// The registry of threads is a dict of `threading`, which others change as well; it is asked at every call. What is
// remembered is only the key: an int that equals the ident, if possible the very one that the registry has, so that the
// dict compares pointers. So nothing here can be out of date, after fork() or when the system uses an ident again.
#include "current_thread.hpp"

#include <cstddef>

#include "objects.hpp"

namespace face {
namespace {

struct Known {
  unsigned long ident;
  PyObject* key;  // null: none
};

// By the ident. Threads whose idents fall together replace each other.
constexpr std::size_t kKnown = 64;

struct Finder {
  PyObject_HEAD PyObject* registry;
  PyObject* dummy;
  Known known[kKnown];
};

Finder& finder_of(PyObject* self) { return *reinterpret_cast<Finder*>(self); }

// Idents are addresses, of which neighbours are some pages apart.
std::size_t place_of(unsigned long ident) {
  constexpr unsigned kPageBits = 12;
  return (ident >> kPageBits) % kKnown;
}

// The registry's own key for a thread, if the thread has it; else `made`. New reference.
PyObject* key_for(PyObject* thread, PyObject* made) {
  PyObject* const own = PyObject_GetAttrString(thread, "_ident");
  if (own != nullptr && PyLong_CheckExact(own) && PyObject_RichCompareBool(own, made, Py_EQ) == 1) return own;
  PyErr_Clear();
  Py_XDECREF(own);
  return new_reference(made);
}

__attribute__((noinline)) PyObject* look_closely(Finder& self, unsigned long ident) {
  PyObject* const made = PyLong_FromUnsignedLong(ident);
  if (made == nullptr) return nullptr;
  PyObject* const thread = PyDict_GetItemWithError(self.registry, made);  // borrowed
  if (thread == nullptr) {
    Py_DECREF(made);
    return PyErr_Occurred() != nullptr ? nullptr : PyObject_CallObject(self.dummy, nullptr);
  }
  Py_INCREF(thread);
#if !defined(Py_GIL_DISABLED)
  PyObject* const key = key_for(thread, made);
  Known& known = self.known[place_of(ident)];
  PyObject* const before = known.key;
  known = {ident, key};
  Py_XDECREF(before);
#endif
  Py_DECREF(made);
  return thread;
}

PyObject* current_thread(PyObject* self, PyObject*) {
  Finder& finder = finder_of(self);
  const unsigned long ident = PyThread_get_thread_ident();
#if !defined(Py_GIL_DISABLED)
  const Known& known = finder.known[place_of(ident)];
  if (known.ident == ident) {
    PyObject* const key = new_reference(known.key);  // a comparison may run Python, and replace what is known
    PyObject* const thread = PyDict_GetItemWithError(finder.registry, key);  // borrowed
    Py_XINCREF(thread);
    Py_DECREF(key);
    if (thread != nullptr) return thread;
    if (PyErr_Occurred() != nullptr) return nullptr;
  }
#endif
  return look_closely(finder, ident);
}

PyMethodDef current_thread_method{"current_thread", &current_thread, METH_NOARGS,
                                  PyDoc_STR("current_thread($module, /)\n--\n\nThe Thread that runs the caller.")};

// The function is bound to the finder, and pickled as an attribute of what it is bound to: let that be the module.
PyObject* reduce(PyObject*, PyObject*) {
  PyObject* const importlib = PyImport_ImportModule("importlib");
  PyObject* const import = importlib != nullptr ? PyObject_GetAttrString(importlib, "import_module") : nullptr;
  Py_XDECREF(importlib);
  return import != nullptr ? Py_BuildValue("(N(s))", import, "threading") : nullptr;
}

PyMethodDef methods[] = {{"__reduce__", &reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(finder_of(self).registry);
  Py_VISIT(finder_of(self).dummy);
  return visit_type(self, visit, arg);
}

int drop(PyObject* self) {
  Py_CLEAR(finder_of(self).registry);
  Py_CLEAR(finder_of(self).dummy);
  return 0;
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  drop(self);
  for (Known& known : finder_of(self).known) Py_CLEAR(known.key);
  type->tp_free(self);
  Py_DECREF(type);
}

PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                       {Py_tp_traverse, as_slot(&traverse)},
                       {Py_tp_clear, as_slot(&drop)},
                       {Py_tp_methods, methods},
                       {0, nullptr}};

PyObject* make_finder(PyObject* module, PyObject* registry, PyObject* dummy) {
  PyObject* const type = PyObject_GetAttrString(module, "_ThreadFinder");
  if (type == nullptr) return nullptr;
  PyObject* const self = reinterpret_cast<PyTypeObject*>(type)->tp_alloc(reinterpret_cast<PyTypeObject*>(type), 0);
  Py_DECREF(type);
  if (self == nullptr) return nullptr;
  finder_of(self).registry = new_reference(registry);
  finder_of(self).dummy = new_reference(dummy);
  return self;
}

}  // namespace

PyObject* make_thread_finder_type(PyObject* module) {
  PyType_Spec spec{"threadingpp._core._ThreadFinder", sizeof(Finder), 0,
                   static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | kNotCallable), slots};
  return make_type(module, spec, {});
}

PyObject* make_current_thread(PyObject* module, PyObject* args) {
  PyObject* registry = nullptr;
  PyObject* dummy = nullptr;
  if (!PyArg_ParseTuple(args, "O!O:make_current_thread", &PyDict_Type, &registry, &dummy)) return nullptr;
  PyObject* const home = PyUnicode_FromString("threading");
  PyObject* const self = home != nullptr ? make_finder(module, registry, dummy) : nullptr;
  PyObject* const function = self != nullptr ? PyCFunction_NewEx(&current_thread_method, self, home) : nullptr;
  Py_XDECREF(home);
  Py_XDECREF(self);
  return function;
}

}  // namespace face
