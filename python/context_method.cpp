// SPDX-License-Identifier: MIT
//
// __enter__ and __exit__ without allocation. Up to 3.13 a `with` statement looks both up as attributes, which makes two
// bound methods, tracked by the collector, each time. The descriptor here hands out bound objects from a short list of
// used ones instead, which halves the cost of `with lock:`.
//
// Ownership: a bound object in use owns its descriptor and its `self`; one in the list owns nothing. With a GIL the
// list needs no lock; a free-threaded build does not use this file's descriptor.
#include "objects.hpp"

namespace face {
namespace {

constexpr int kSpares = 8;
using Method = PyObject* (*)(PyObject* self);

struct Bound;

struct Descriptor {
  PyObject_HEAD Method method;
  const char* name;
  const char* parameters;  // as inspect reads them
  PyTypeObject* owner;     // instances of this may be `self`
  PyTypeObject* bound_type;
  Bound* spares[kSpares];
  int spare_count;
  bool takes_exception;  // __exit__: three arguments, ignored
};

struct Bound {
  PyObject_HEAD vectorcallfunc vectorcall;
  Descriptor* descriptor;
  PyObject* self;
};

// --- bound ---

PyObject* bound_call(PyObject* callable, PyObject* const*, std::size_t flags_and_count, PyObject* names) {
  auto& bound = *reinterpret_cast<Bound*>(callable);
  const Py_ssize_t count = PyVectorcall_NARGS(flags_and_count);
  if ((!bound.descriptor->takes_exception && count != 0) || (names != nullptr && PyTuple_GET_SIZE(names) != 0)) {
    PyErr_Format(PyExc_TypeError, "%s() takes no arguments (%zd given)", bound.descriptor->name, count);
    return nullptr;
  }
  return bound.descriptor->method(bound.self);
}

void bound_dealloc(PyObject* object) {
  auto& bound = *reinterpret_cast<Bound*>(object);
  PyTypeObject* const type = Py_TYPE(object);
  Descriptor* const descriptor = bound.descriptor;
  PyObject* const self = bound.self;
  if (descriptor->spare_count != kSpares) {
    descriptor->spares[descriptor->spare_count++] = &bound;
  } else {
    PyObject_Free(object);
  }
  Py_DECREF(type);
  Py_DECREF(reinterpret_cast<PyObject*>(descriptor));
  Py_DECREF(self);
}

PyObject* bound_repr(PyObject* object) {
  const auto& bound = *reinterpret_cast<Bound*>(object);
  return PyUnicode_FromFormat("<built-in method %s of %s object at %p>", bound.descriptor->name,
                              Py_TYPE(bound.self)->tp_name, static_cast<void*>(bound.self));
}

PyObject* bound_name(PyObject* object, void*) {
  return PyUnicode_FromString(reinterpret_cast<Bound*>(object)->descriptor->name);
}

// inspect asks a callable of a type that it does not know. What a bound method of Python's would have.
PyObject* bound_signature(PyObject* object, void*) {
  const auto& bound = *reinterpret_cast<Bound*>(object);
  PyObject* const inspect = PyImport_ImportModule("inspect");
  PyObject* const method =
      inspect != nullptr ? PyMethod_New(reinterpret_cast<PyObject*>(bound.descriptor), bound.self) : nullptr;
  PyObject* const signature = method != nullptr ? PyObject_CallMethod(inspect, "signature", "O", method) : nullptr;
  Py_XDECREF(method);
  Py_XDECREF(inspect);
  return signature;
}

PyMemberDef bound_members[] = {{"__self__", T_OBJECT, offsetof(Bound, self), READONLY, nullptr},
#if !FACE_OFFSETS_BY_HAND
                               {"__vectorcalloffset__", T_PYSSIZET, offsetof(Bound, vectorcall), READONLY, nullptr},
#endif
                               {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef bound_getset[] = {{"__name__", &bound_name, nullptr, nullptr, nullptr},
                              {"__qualname__", &bound_name, nullptr, nullptr, nullptr},
                              {"__signature__", &bound_signature, nullptr, nullptr, nullptr},
                              {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot bound_slots[] = {{Py_tp_dealloc, as_slot(&bound_dealloc)},
                             {Py_tp_repr, as_slot(&bound_repr)},
                             {Py_tp_call, as_slot(&PyVectorcall_Call)},
                             {Py_tp_members, bound_members},
                             {Py_tp_getset, bound_getset},
                             {0, nullptr}};
PyType_Spec bound_spec{"threadingpp._core.context_method", sizeof(Bound), 0,
                       static_cast<unsigned>(Py_TPFLAGS_DEFAULT | FACE_HAVE_VECTORCALL | kNotCallable), bound_slots};

// --- descriptor ---

PyObject* descriptor_get(PyObject* object, PyObject* self, PyObject*) {
  auto& descriptor = *reinterpret_cast<Descriptor*>(object);
  if (self == nullptr) return new_reference(object);
  if (!PyObject_TypeCheck(self, descriptor.owner)) {
    PyErr_Format(PyExc_TypeError, "descriptor '%s' doesn't apply to a '%s' object", descriptor.name,
                 Py_TYPE(self)->tp_name);
    return nullptr;
  }
  Bound* bound = nullptr;
  if (descriptor.spare_count != 0) {
    bound = descriptor.spares[--descriptor.spare_count];
    PyObject_Init(reinterpret_cast<PyObject*>(bound), descriptor.bound_type);
  } else {
    bound = PyObject_New(Bound, descriptor.bound_type);
    if (bound == nullptr) return nullptr;
    bound->vectorcall = &bound_call;
  }
  Py_INCREF(object);
  bound->descriptor = &descriptor;
  bound->self = new_reference(self);
  return reinterpret_cast<PyObject*>(bound);
}

// The type's attribute itself: `type(lock).__enter__(lock)`.
PyObject* descriptor_call(PyObject* object, PyObject* args, PyObject* names) {
  auto& descriptor = *reinterpret_cast<Descriptor*>(object);
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count == 0 || !PyObject_TypeCheck(PyTuple_GET_ITEM(args, 0), descriptor.owner) || names != nullptr ||
      (count != 1 && !descriptor.takes_exception)) {
    PyErr_Format(PyExc_TypeError, "bad arguments for %s.%s()", descriptor.owner->tp_name, descriptor.name);
    return nullptr;
  }
  return descriptor.method(PyTuple_GET_ITEM(args, 0));
}

int descriptor_traverse(PyObject* object, visitproc visit, void* arg) {
  const auto& descriptor = *reinterpret_cast<Descriptor*>(object);
  Py_VISIT(descriptor.owner);
  Py_VISIT(descriptor.bound_type);
  return visit_type(object, visit, arg);
}

int descriptor_clear(PyObject*) { return 0; }  // the types' own dictionaries break the cycle

void descriptor_dealloc(PyObject* object) {
  auto& descriptor = *reinterpret_cast<Descriptor*>(object);
  PyTypeObject* const type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  for (int i = 0; i != descriptor.spare_count; ++i) PyObject_Free(descriptor.spares[i]);
  Py_XDECREF(reinterpret_cast<PyObject*>(descriptor.owner));
  Py_XDECREF(reinterpret_cast<PyObject*>(descriptor.bound_type));
  PyObject_GC_Del(object);
  Py_DECREF(type);
}

PyObject* descriptor_name(PyObject* object, void*) {
  return PyUnicode_FromString(reinterpret_cast<Descriptor*>(object)->name);
}

PyObject* descriptor_parameters(PyObject* object, void*) {
  return PyUnicode_FromString(reinterpret_cast<Descriptor*>(object)->parameters);
}

PyGetSetDef descriptor_getset[] = {{"__name__", &descriptor_name, nullptr, nullptr, nullptr},
                                   {"__text_signature__", &descriptor_parameters, nullptr, nullptr, nullptr},
                                   {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyType_Slot descriptor_slots[] = {{Py_tp_dealloc, as_slot(&descriptor_dealloc)},
                                  {Py_tp_traverse, as_slot(&descriptor_traverse)},
                                  {Py_tp_clear, as_slot(&descriptor_clear)},
                                  {Py_tp_descr_get, as_slot(&descriptor_get)},
                                  {Py_tp_call, as_slot(&descriptor_call)},
                                  {Py_tp_getset, descriptor_getset},
                                  {0, nullptr}};
PyType_Spec descriptor_spec{"threadingpp._core.context_descriptor", sizeof(Descriptor), 0,
                            static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | kNotCallable),
                            descriptor_slots};

bool add_one(PyObject* module, PyObject* type, const char* name, Method method, bool takes_exception) {
  PyObject* const descriptor_type = PyObject_GetAttrString(module, "_context_descriptor");
  PyObject* const bound_type = PyObject_GetAttrString(module, "_context_method");
  bool done = false;
  if (descriptor_type != nullptr && bound_type != nullptr) {
    auto* const descriptor = PyObject_GC_New(Descriptor, reinterpret_cast<PyTypeObject*>(descriptor_type));
    if (descriptor != nullptr) {
      descriptor->method = method;
      descriptor->name = name;
      descriptor->parameters = takes_exception ? "($self, /, *exc_info)" : "($self, /)";
      descriptor->owner = reinterpret_cast<PyTypeObject*>(new_reference(type));
      descriptor->bound_type = reinterpret_cast<PyTypeObject*>(new_reference(bound_type));
      descriptor->spare_count = 0;
      descriptor->takes_exception = takes_exception;
      PyObject_GC_Track(descriptor);
      done = PyObject_SetAttrString(type, name, reinterpret_cast<PyObject*>(descriptor)) == 0;
      Py_DECREF(reinterpret_cast<PyObject*>(descriptor));
    }
  }
  Py_XDECREF(descriptor_type);
  Py_XDECREF(bound_type);
  return done;
}

bool add_type(PyObject* module, const char* name, PyType_Spec& spec) {
  PyObject* const type = new_type(module, &spec, nullptr);
  if (type == nullptr) return false;
#if FACE_OFFSETS_BY_HAND
  if (&spec == &bound_spec) reinterpret_cast<PyTypeObject*>(type)->tp_vectorcall_offset = offsetof(Bound, vectorcall);
#endif
  const bool done = PyObject_SetAttrString(module, name, type) == 0;
  Py_DECREF(type);
  return done;
}

}  // namespace

bool prepare_context_methods(PyObject* module) {
  return add_type(module, "_context_descriptor", descriptor_spec) && add_type(module, "_context_method", bound_spec);
}

bool add_context_methods(PyObject* module, PyObject* type, const TypeExtras& extras) {
  return add_one(module, type, "__enter__", extras.enter, false) &&
         add_one(module, type, "__exit__", extras.exit, true);
}

}  // namespace face
