// SPDX-License-Identifier: MIT
#include "futex.hpp"

#include "world.hpp"

namespace lab {

using detail::active_world;
using detail::World;

namespace {

const char* outcome_name(FutexOutcome outcome) noexcept {
  switch (outcome) {
    case FutexOutcome::woken: return "-> woken";
    case FutexOutcome::changed: return "-> changed, no sleep";
    case FutexOutcome::timed_out: return "-> timed out";
    case FutexOutcome::interrupted: return "-> interrupted";
  }
  return "?";
}

FutexOutcome outcome_of(detail::WakeReason reason) noexcept {
  switch (reason) {
    case detail::WakeReason::timed_out: return FutexOutcome::timed_out;
    case detail::WakeReason::interrupted: return FutexOutcome::interrupted;
    case detail::WakeReason::none:
    case detail::WakeReason::woken: return FutexOutcome::woken;
  }
  return FutexOutcome::woken;
}

}  // namespace

FutexOutcome futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
                        Site site) noexcept {
  World* const world = active_world();
  // Nobody to wait for outside an execution.
  if (world == nullptr) return FutexOutcome::woken;
  world->point();
  detail::Fiber& self = world->self();
  const std::uint64_t seen = world->memory.kernel_load(self, world->memory.locate(self, &word, 4, false, site));
  FutexOutcome outcome = FutexOutcome::changed;
  if (seen == expected) {
    if (world->tracing()) world->trace("futex_wait", &word, "...", site);
    outcome = outcome_of(world->block(&word, "futex_wait", deadline, true, site));
  }
  if (world->tracing()) world->trace("futex_wait", &word, outcome_name(outcome), site);
  return outcome;
}

void futex_wake(const void* address, int count, Site site) noexcept {
  World* const world = active_world();
  if (world == nullptr) return;
  world->point();
  world->delay_wake();
  const unsigned woken = world->wake(address, count < 0 ? 0u : static_cast<unsigned>(count));
  if (world->tracing())
    world->trace(
        "futex_wake", address, [&] { return "-> " + std::to_string(woken) + " woken"; }, site);
}

std::int64_t monotonic_now(Site site) noexcept {
  World* const world = active_world();
  return world == nullptr ? 0 : world->now(site);
}

void sleep_until(std::int64_t deadline, Site site) noexcept {
  World* const world = active_world();
  if (world == nullptr) return;
  world->point();
  if (world->tracing())
    world->trace(
        "sleeps", nullptr, [&] { return "until " + std::to_string(deadline); }, site);
  world->block(&world->self().deadline, "sleep", deadline, false, site);
}

void yield(Site site) noexcept {
  if (World* const world = active_world(); world != nullptr) world->yield(site);
}

void heavy_fence(Site site) noexcept {
  World* const world = active_world();
  if (world == nullptr) return;
  world->fence();
  if (world->tracing()) world->trace("heavy_fence", nullptr, "", site);
}

bool has_heavy_fence() noexcept {
  World* const world = active_world();
  return world != nullptr && world->setup().options->fences;
}

int current_cpu() noexcept {
  World* const world = active_world();
  return world == nullptr || world->setup().options->cpus == 1 ? -1 : world->self().id;
}

int cpu_count() noexcept {
  World* const world = active_world();
  return world == nullptr ? 1 : static_cast<int>(world->setup().options->cpus);
}

std::size_t many_queued() noexcept {
  World* const world = active_world();
  return world == nullptr ? Options{}.many_queued : world->setup().options->many_queued;
}

void* detail::fiber_storage() noexcept {
  alignas(16) static unsigned char outside[kStorageSize];
  World* const world = active_world();
  return world == nullptr ? outside : world->self().storage;
}

}  // namespace lab
