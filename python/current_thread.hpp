// SPDX-License-Identifier: MIT
//
// current_thread(), made for one `threading` module.
#pragma once

#include "interpreter.hpp"

namespace face {

PyObject* make_thread_finder_type(PyObject* module);

// make_current_thread(registry, dummy) -> function: `registry` has the threads by ident, dummy() makes what a thread
// gets that is not in it.
PyObject* make_current_thread(PyObject* module, PyObject* args);

}  // namespace face
