// SPDX-License-Identifier: MIT
//
// The core thread behind a Python Thread, as an object.
#pragma once

#include <threading/thread.hpp>

#include "interpreter.hpp"

namespace face {

PyObject* make_thread_handle_type(PyObject* module);

// A handle of any thread of the core, one that C++ started included. New reference, or null with an exception set.
PyObject* wrap_thread(const threading::Thread& thread);

// The core thread behind a handle, or behind a Thread that has one. It lives as long as `object`; a copy of it needs
// neither the object nor the GIL. Returns: null with TypeError set for anything else.
const threading::Thread* thread_behind(PyObject* object);

}  // namespace face
