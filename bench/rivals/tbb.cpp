// SPDX-License-Identifier: MIT
#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/mutex.h>
#include <oneapi/tbb/queuing_mutex.h>
#include <oneapi/tbb/spin_mutex.h>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Tbb {
  static constexpr const char* kName = "tbb";
  using Lock = oneapi::tbb::mutex;
  struct Local {
    oneapi::tbb::enumerable_thread_specific<long> local{0};
    long& value() { return local.local(); }
  };
};

struct TbbSpin {
  static constexpr const char* kName = "tbb-spin";
  static constexpr bool kNeverSleeps = true;
  using Lock = oneapi::tbb::spin_mutex;
};

}  // namespace

void add_tbb() {
  add_rival<Tbb>();
  add_rival<TbbSpin>();
}

}  // namespace bench
