// SPDX-License-Identifier: MIT
#pragma once

#include "../harness.hpp"

namespace bench {

template <class R>
void add_local_rows() {
  if constexpr (requires { typename R::Local; }) {
    add("local_access", R::kName, [](const Options& options) {
      static typename R::Local local;
      local.value() = 0;
      return time_each(options, [&] {
        long& value = local.value();
        ++value;
        keep(value);
      });
    });
  }
}

}  // namespace bench
