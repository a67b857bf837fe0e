// SPDX-License-Identifier: MIT
#include "rivals.hpp"

namespace bench {

std::vector<Size>& sizes() {
  static std::vector<Size> all;
  return all;
}

void print_sizes() {
  for (const Size& size : sizes()) std::printf("%s %s %zu\n", size.type.c_str(), size.rival.c_str(), size.bytes);
}

void add_all_rivals() {
  add_ours();
  add_std();
  add_pthread();
  add_limits();
  add_designs();
  add_bare_threads();
  add_bare_timers();
  add_scale();
#if defined(BENCH_WITH_BOOST)
  add_boost();
  add_asio();
#endif
#if defined(BENCH_WITH_ABSEIL)
  add_abseil();
#endif
#if defined(BENCH_WITH_NSYNC)
  add_nsync();
#endif
#if defined(BENCH_WITH_TBB)
  add_tbb();
#endif
#if defined(BENCH_WITH_QT)
  add_qt();
#endif
#if defined(BENCH_WITH_POCO)
  add_poco();
#endif
}

}  // namespace bench
