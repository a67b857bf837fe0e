// SPDX-License-Identifier: MIT
//
// What a language runtime needs of threads: see embedding.hpp.
#include <threading/embedding.hpp>

#include "platform/fork.hpp"
#include "threads/life.hpp"
#include "threads/registry.hpp"
#include "threads/shutdown.hpp"

namespace threading::inline v1 {

Embedding::Outcome Embedding::join(const Thread& thread, const Wait& wait) {
  return threads::join(threads::checked_for_join(thread), wait);
}

Thread Embedding::new_thread(bool daemon) {
  auto* const state = new detail::OsThreadState(detail::ThreadState::Kind::embedded);
  state->label.set_number(threads::next_number());
  state->is_daemon.store(daemon, std::memory_order_relaxed);  // relaxed: nobody else knows the state yet
  return detail::ThreadAccess::adopt(*state);
}

bool Embedding::begin(const Thread& thread) noexcept {
  return threads::begin_embedded(detail::ThreadAccess::state(thread));
}
void Embedding::take_back(const Thread& thread) noexcept {
  threads::take_back_embedded(detail::ThreadAccess::state(thread));
}
void Embedding::set_ident(const Thread& thread, Ident ident) noexcept {
  auto& state = static_cast<detail::OsThreadState&>(detail::ThreadAccess::state(thread));
  state.ident.store(ident, std::memory_order_relaxed);  // relaxed: a number and nothing else
}
void Embedding::enter(const Thread& thread) noexcept {
  threads::enter_embedded(detail::backend::per_thread(), detail::ThreadAccess::state(thread));
}
void Embedding::finish(const Thread& thread) noexcept { threads::finish(detail::ThreadAccess::state(thread)); }
bool Embedding::is_started(const Thread& thread) noexcept {
  return threads::is_started(detail::ThreadAccess::state(thread));
}
bool Embedding::is_current(const Thread& thread) noexcept {
  return detail::backend::per_thread().thread == &detail::ThreadAccess::state(thread);
}
Embedding::Outcome Embedding::wait_for_end(const Thread& thread, const Wait& wait) {
  return threads::join(detail::ThreadAccess::state(thread), wait);
}

void Embedding::on_fork(void (*prepare)() noexcept, void (*parent)() noexcept, void (*child)() noexcept) noexcept {
  platform::on_fork(platform::ForkRoom::embedder, {.prepare = prepare, .parent = parent, .child = child});
}

void Embedding::on_shutdown(void (*function)()) {
  threads::wait_for_threads_at_exit();
  threads::add_shutdown_callback(function);
}

}  // namespace threading::inline v1
