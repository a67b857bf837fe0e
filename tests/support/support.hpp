// SPDX-License-Identifier: MIT
//
// Everything a test needs beside the library.
#pragma once

#include <gtest/gtest.h>

#include "support/bunch.hpp"
#include "support/child.hpp"
#include "support/delays.hpp"
#include "support/errors.hpp"
