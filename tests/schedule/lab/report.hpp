// SPDX-License-Identifier: MIT
//
// Turning addresses and positions into words. Only used once something has failed.
#pragma once

#include <string>

#include "site.hpp"

namespace lab::detail {

// Looking up symbols takes milliseconds: only executions that are being written down do it.
inline bool describing = false;

// "lock.hpp:42 in acquire", or what addr2line makes of a return address.
std::string describe_site(const Site& site);

// The global that covers the address, or an empty string.
std::string describe_global(unsigned long address);

}  // namespace lab::detail
