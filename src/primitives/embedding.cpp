// SPDX-License-Identifier: MIT
//
// The primitives' insides for runtimes: each function is one or two lines over what the public calls use themselves.
#include <threading/embedding.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "parking/inspect.hpp"

namespace threading::inline v1 {
namespace {

std::size_t queue_size(const void* key) noexcept {
  std::size_t size = 0;
  unpark(key, [&](const QueueView& queue) noexcept -> UnparkDecision {
    size = queue.size;
    return {0};
  });
  return size;
}

}  // namespace

using Outcome = Embedding::Outcome;

Outcome Embedding::acquire(Lock& lock, const Wait& wait) {
  return detail::lock_word(lock.word_, detail::thread_token_hint(), detail::kLockKind, wait);
}

Outcome Embedding::acquire(RLock& lock, const Wait& wait) {
  if (lock.enter()) return Outcome::ok;
  return detail::lock_word(lock.word_, detail::thread_token(), detail::kRLockKind, wait);
}

Outcome Embedding::wait_until_free(Lock& lock, const Wait& wait) {
  return detail::wait_until_free(lock.word_, detail::kLockKind, wait);
}
Outcome Embedding::wait_until_free(RLock& lock, const Wait& wait) {
  return detail::wait_until_free(lock.word_, detail::kRLockKind, wait);
}
void Embedding::pass_on(Lock& lock) noexcept { detail::pass_on(lock.word_); }
void Embedding::pass_on(RLock& lock) noexcept { detail::pass_on(lock.word_); }

ThreadToken Embedding::owner(const Lock& lock) noexcept {
  return detail::owner_of(lock.word_.load(std::memory_order_relaxed));  // relaxed: for display
}
ThreadToken Embedding::owner(const RLock& lock) noexcept {
  return detail::owner_of(lock.word_.load(std::memory_order_relaxed));  // relaxed: for display
}
std::uint32_t Embedding::depth(const RLock& lock) noexcept {
  return lock.locked() ? std::max(lock.counted_depth(), 1u) : 0;
}

std::uint32_t Embedding::release_all(RLock& lock) noexcept {
  const std::uint32_t depth = std::max(lock.counted_depth(), 1u);
  lock.give_last_level_back();
  return depth;
}

Embedding::ConditionWait Embedding::wait_released(Condition& condition, const Wait& wait) {
  return condition.wait_released(wait);
}
bool Embedding::try_take_back(Condition& condition, const ConditionWait& waited) noexcept {
  return condition.try_take_back(waited);
}
void Embedding::take_back(Condition& condition, const ConditionWait& waited) { condition.take_back(waited); }
void Embedding::let_go(Condition& condition, ConditionWait& waited) noexcept {
  const auto sign = condition.sign();
  if (std::exchange(waited.owns, false)) {
    if (!Condition::is_over_lock(sign)) condition.rlock(sign).count_depth(0);
    static_cast<void>(detail::unlock_word(condition.word_of_lock(sign)));
  } else {
    detail::pass_on(condition.word_of_lock(sign));
  }
}

Outcome Embedding::foreign_wait(ForeignWord& word, detail::BeforeSleepRef unlock, const Wait& wait) {
  return detail::foreign_wait(word, unlock, wait);
}
void Embedding::foreign_notify(ForeignWord& word, std::size_t n) noexcept { detail::foreign_notify(word, n); }

Outcome Embedding::wait(Event& event, const Wait& wait) { return event.wait_until(wait); }
Outcome Embedding::acquire(detail::SemaphoreCore& semaphore, const Wait& wait) { return semaphore.wait_slow(wait); }

Embedding::Arrival Embedding::arrive(Barrier& barrier, const Wait& wait) {
  const Barrier::Arrival arrival = barrier.enter(wait);
  switch (arrival.step) {
    case Barrier::Step::passed: return {Arrived::passed, arrival.index};
    case Barrier::Step::must_act: return {Arrived::must_act, arrival.index};
    case Barrier::Step::interrupted: return {Arrived::interrupted, 0};
    case Barrier::Step::full:
    case Barrier::Step::draining:
    case Barrier::Step::broken:
    case Barrier::Step::timed_out: break;
  }
  return {Arrived::broken, 0};
}
bool Embedding::finish(Barrier& barrier, bool action_failed) noexcept { return barrier.finish_draining(action_failed); }

std::size_t Embedding::waiters(const Condition& condition) noexcept { return queue_size(&condition.word_); }
std::size_t Embedding::waiters(const Event& event) noexcept { return queue_size(&event.word_); }
std::size_t Embedding::waiters(const ForeignWord& word) noexcept { return queue_size(&word); }

std::size_t Embedding::waiting(Waiting* into, std::size_t capacity) {
  std::vector<parking::WaitRecord> records(capacity);
  const std::size_t found = parking::collect_waiters(records.data(), capacity);
  std::transform(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(std::min(found, capacity)), into,
                 [](const parking::WaitRecord& record) {
                   return Waiting{record.thread, record.kind,  record.object,
                                  record.owner,  record.since, record.deadline};
                 });
  return found;
}

// relaxed in all: nobody else may use the object.
void Embedding::reset_after_fork(Lock& lock) noexcept {
  detail::distrust(&lock.word_);
  lock.word_.store(0, std::memory_order_relaxed);
}
void Embedding::reset_after_fork(RLock& lock) noexcept {
  detail::distrust(&lock.word_);
  lock.word_.store(0, std::memory_order_relaxed);  // relaxed: as above
  lock.count_depth(0);
}
void Embedding::reset_after_fork(Condition& condition) noexcept {
  condition.set_waiters(false);
  if (Condition::is_own(condition.sign())) reset_after_fork(condition.own_);
}
void Embedding::reset_after_fork(Event& event) noexcept {
  event.word_.store(0, std::memory_order_relaxed);
}  // as above
void Embedding::reset_after_fork(Barrier& barrier) noexcept {
  barrier.word_.store(0, std::memory_order_relaxed);  // relaxed: as above
}

}  // namespace threading::inline v1
