// SPDX-License-Identifier: MIT
//
// What the types of the primitives have in common: how an object is visited, emptied and freed, and the table that its
// type is made of.
#pragma once

#include <cstddef>

#include "objects.hpp"

namespace face {

// What an object keeps until it is freed, although the collector might want it cleared before. Borrowed, or null.
inline PyObject* kept(const auto&) { return nullptr; }
inline PyObject* kept(const ConditionObject& object) { return object.lock; }

// Lets go of the core object, and then of what was kept for it. Requires: nothing waits on it.
inline void destroy_core(auto& object) { object.held.destroy(); }
void destroy_core(SemaphoreObject& object);
inline void destroy_core(ConditionObject& object) {
  object.held.destroy();
  Py_CLEAR(object.lock);
}

// As tp_alloc, for a class that is Python's in the stdlib: one that has abstract methods left makes no instances.
// Python's own words are had from object.__new__(), which refuses to.
inline PyObject* allocate(PyTypeObject* type) {
  if ((type->tp_flags & Py_TPFLAGS_IS_ABSTRACT) == 0) return type->tp_alloc(type, 0);
  PyObject* const nothing = PyTuple_New(0);
  PyObject* const self = nothing != nullptr ? PyBaseObject_Type.tp_new(type, nothing, nullptr) : nullptr;
  Py_XDECREF(nothing);
  return self;
}

// The slots of a type whose instances are `Object`s, which own the references in the members `kOwned`.
template <class Object, PyObject* Object::*... kOwned>
struct Life {
  using Instance = Object;

  static constexpr bool kHasDict = requires(Object& object) { object.dict; };

  static Object& of(PyObject* self) { return *reinterpret_cast<Object*>(self); }

  // tp_new of a type whose __init__ does the rest.
  static PyObject* make(PyTypeObject* type, PyObject*, PyObject*)
    requires(kHasDict)
  {
    PyObject* const self = allocate(type);
    if (self == nullptr || make_dict_early(of(self).dict)) return self;
    Py_DECREF(self);
    return nullptr;
  }

  static int traverse([[maybe_unused]] PyObject* self, visitproc visit, void* arg) {
    int result = 0;
    // As Py_VISIT: the first answer that is not 0 ends it.
    const auto look = [&](PyObject* owned) {
      if (owned != nullptr) result = visit(owned, arg);
      return result == 0;
    };
    return look(kept(of(self))) && (look(of(self).*kOwned) && ...) ? visit_type(self, visit, arg) : result;
  }

  static int clear([[maybe_unused]] PyObject* self) {
    [[maybe_unused]] const auto drop = [](PyObject*& owned) { Py_CLEAR(owned); };
    (drop(of(self).*kOwned), ...);
    return 0;
  }

  static void dealloc(PyObject* self) {
    PyTypeObject* const type = Py_TYPE(self);
    if (PyType_IS_GC(type)) PyObject_GC_UnTrack(self);
    if (of(self).weakrefs != nullptr) PyObject_ClearWeakRefs(self);
    clear(self);
    destroy_core(of(self));
    type->tp_free(self);
    Py_DECREF(type);
  }

  static bool made(PyObject* self) { return Py_TYPE(self)->tp_dealloc == &dealloc; }

  // Whether what the stdlib would call by name is ours: no subclass, and no attribute in the object hides a method.
  static bool plain(PyObject* self)
    requires(kHasDict)
  {
    if (!made(self)) return false;
    PyObject* const dict = of(self).dict;
    return dict == nullptr || PyDict_GET_SIZE(dict) == 0;
  }
};

// What makes a type itself. Null: it has none.
struct TypeParts {
  const char* name;
  const char* doc;
  unsigned long flags;
  newfunc construct = nullptr;
  initproc init = nullptr;
  reprfunc repr = nullptr;
  PyMethodDef* methods = nullptr;
  PyGetSetDef* getset = nullptr;
  PyObject* (*enter)(PyObject*) = nullptr;  // as TypeExtras
  PyObject* (*exit)(PyObject*) = nullptr;
  const char* base = nullptr;  // a type of this module, with the same instances
};

inline constexpr unsigned long kPrimitiveFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;

// Where an instance of the type lives and ends.
struct TypeLife {
  std::size_t size;
  destructor dealloc;
  traverseproc traverse;
  inquiry clear;
  Py_ssize_t dict;
  Py_ssize_t weakrefs;
};

PyObject* make_type(PyObject* module, const TypeLife& life, const TypeParts& parts);

template <class Life>
PyObject* make_type(PyObject* module, const TypeParts& parts) {
  using Object = typename Life::Instance;
  TypeLife life{sizeof(Object), &Life::dealloc, &Life::traverse, &Life::clear, 0, offsetof(Object, weakrefs)};
  if constexpr (Life::kHasDict) life.dict = offsetof(Object, dict);
  return make_type(module, life, parts);
}

// --- methods that several types have ---

// "<module.Class at 0x…: state>". Steals `state`, which may be null with an exception set.
PyObject* show(PyObject* self, PyObject* state);
// __getstate__ of what has a lock of the stdlib's inside there.
PyObject* refuse_pickle(PyObject* self, PyObject*);
// The old spelling of a method. Returns: false with an exception set, where warnings are errors.
bool accept_old_name(const char* advice);

}  // namespace face
