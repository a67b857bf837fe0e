// SPDX-License-Identifier: MIT
//
// The other side of <threading/python.hpp>.
#pragma once

#include <memory>

#include <threading/python.hpp>

#include "interpreter.hpp"

namespace face {

// The capsule with the table of functions. New reference, or null with an exception set.
PyObject* make_capsule();

using threading::python::Kind;

// A Python object for one part of a block; the same one while it lives. `lock` is that of a Condition.
// New reference, or null with an exception set.
PyObject* wrap_part(Kind kind, const std::shared_ptr<void>& block, void* part, PyObject* lock);

// shared(type, *args): an object of ours whose core object C++ may own as well.
PyObject* make_shared_object(PyObject*, PyObject* args);

}  // namespace face
