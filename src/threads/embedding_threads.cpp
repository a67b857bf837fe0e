// SPDX-License-Identifier: MIT
//
// What a language runtime needs of threads: see embedding.hpp.
#include <threading/embedding.hpp>

#include "platform/fork.hpp"
#include "threads/life.hpp"
#include "threads/shutdown.hpp"

namespace threading::inline v1 {

Embedding::Outcome Embedding::join(const Thread& thread, const Wait& wait) {
  return threads::join(threads::checked_for_join(thread), wait);
}

void Embedding::on_fork(void (*prepare)() noexcept, void (*parent)() noexcept, void (*child)() noexcept) noexcept {
  platform::on_fork(platform::ForkRoom::embedder, {.prepare = prepare, .parent = parent, .child = child});
}

void Embedding::on_shutdown(void (*function)()) {
  threads::wait_for_threads_at_exit();
  threads::add_shutdown_callback(function);
}

}  // namespace threading::inline v1
