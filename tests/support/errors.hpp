// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>
#include <typeinfo>

#include <gtest/gtest.h>

namespace support {

// Runs `body`, which must throw exactly an E, not something derived from it, that says exactly `text`.
template <class E, class Body>
void expect_error(const std::string& text, Body body, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  try {
    body();
  } catch (const E& error) {
    if (typeid(error) != typeid(E)) ADD_FAILURE_AT(file, line) << "threw a type derived from the expected one";
    if (error.what() != text)
      ADD_FAILURE_AT(file, line) << "said \"" << error.what() << "\", expected \"" << text << '"';
    return;
  } catch (const std::exception& error) {
    ADD_FAILURE_AT(file, line) << "threw another type, which says \"" << error.what() << '"';
    return;
  }
  ADD_FAILURE_AT(file, line) << "threw nothing, expected \"" << text << '"';
}

}  // namespace support
