// SPDX-License-Identifier: MIT
#include "base/hooks.hpp"

namespace threading::inline v1::base {

constinit Hooks hooks;

}  // namespace threading::inline v1::base
