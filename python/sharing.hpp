// SPDX-License-Identifier: MIT
//
// The other side of <threading/python.hpp>.
#pragma once

#include "interpreter.hpp"

namespace face {

// The capsule with the table of functions. New reference, or null with an exception set.
PyObject* make_capsule();

// shared(type, *args): an object of ours whose core object C++ may own as well.
PyObject* make_shared_object(PyObject*, PyObject* args);

}  // namespace face
