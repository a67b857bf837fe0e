// SPDX-License-Identifier: MIT
#include "parking/inspect.hpp"

#include "parking/table.hpp"

namespace threading::inline v1::parking {

std::size_t collect_waiters(WaitRecord* records, std::size_t capacity) noexcept {
  std::size_t found = 0;
  for (Bucket& bucket : table) {
    bucket.lock.lock();
    for (const Waiter* first = bucket.first_queue; first != nullptr; first = first->next_queue) {
      // relaxed: under the lock of its bucket.
      const void* const key = first->key.load(std::memory_order_relaxed);
      for (const Waiter* waiter = first; waiter != nullptr; waiter = waiter->next) {
        const WaitKind& kind = *waiter->kind;
        if (kind.is_internal || found++ >= capacity) continue;
        records[found - 1] = {waiter->thread, kind.name,       key, kind.owner != nullptr ? kind.owner(key) : 0,
                              waiter->since,  waiter->deadline};
      }
    }
    bucket.lock.unlock();
  }
  return found;
}

}  // namespace threading::inline v1::parking
