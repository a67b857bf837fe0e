// SPDX-License-Identifier: MIT
#include "object_type.hpp"

#include <cstring>

namespace face {

PyObject* make_type(PyObject* module, const TypeLife& life, const TypeParts& parts) {
  constexpr std::size_t kMost = 10;
  PyType_Slot slots[kMost];
  std::size_t count = 0;
  const auto add = [&](int slot, void* value) {
    if (value != nullptr) slots[count++] = {slot, value};
  };
  add(Py_tp_dealloc, as_slot(life.dealloc));
  if ((parts.flags & Py_TPFLAGS_HAVE_GC) != 0) {
    add(Py_tp_traverse, as_slot(life.traverse));
    add(Py_tp_clear, as_slot(life.clear));
  }
  add(Py_tp_new, as_slot(parts.construct));
  add(Py_tp_init, as_slot(parts.init));
  add(Py_tp_repr, as_slot(parts.repr));
  add(Py_tp_methods, parts.methods);
  add(Py_tp_getset, parts.getset);
  add(Py_tp_doc, const_cast<char*>(parts.doc));
  slots[count] = {0, nullptr};
  PyType_Spec spec{parts.name, static_cast<int>(life.size), 0, static_cast<unsigned>(parts.flags), slots};
  TypeExtras extras;
  extras.enter = parts.enter;
  extras.exit = parts.exit;
  extras.speaks_short = std::strncmp(parts.name, "threading.", std::strlen("threading.")) == 0;
  if (parts.base == nullptr) {
    extras.dict = life.dict;
    extras.weakrefs = life.weakrefs;
    return make_type(module, spec, extras);
  }
  return make_subtype(module, spec, parts.base, extras);
}

PyObject* show(PyObject* self, PyObject* state) {
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(self));
  PyObject* const module = state != nullptr ? PyObject_GetAttrString(type, "__module__") : nullptr;
  PyObject* const name = module != nullptr ? PyObject_GetAttrString(type, "__qualname__") : nullptr;
  PyObject* const result =
      name != nullptr ? PyUnicode_FromFormat("<%S.%S at %p: %S>", module, name, static_cast<void*>(self), state)
                      : nullptr;
  Py_XDECREF(name);
  Py_XDECREF(module);
  Py_XDECREF(state);
  return result;
}

PyObject* refuse_pickle(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "cannot pickle '_thread.lock' object");
  return nullptr;
}

bool accept_old_name(const char* advice) {
  return !kDeprecatesCamelCase || PyErr_WarnEx(PyExc_DeprecationWarning, advice, 1) == 0;
}

}  // namespace face
