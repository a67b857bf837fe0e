// SPDX-License-Identifier: MIT
#include "parking/bucket.hpp"

#include "base/check.hpp"

namespace threading::inline v1::parking {
namespace {

// relaxed: under the lock of the bucket that the waiter is in.
const void* key_of(const Waiter& waiter) noexcept { return waiter.key.load(std::memory_order_relaxed); }

void set_key(Waiter& waiter, const void* key) noexcept {
  // relaxed: whoever reads it without the lock takes the lock and reads it again.
  waiter.key.store(key, std::memory_order_relaxed);
}

}  // namespace

Waiter* Bucket::find(const void* key) const noexcept {
  Waiter* first = first_queue;
  while (first != nullptr && key_of(*first) != key) first = first->next_queue;
  return first;
}

void Bucket::push_back(Waiter& waiter, const void* key) noexcept {
  set_key(waiter, key);
  waiter.queued = true;
  waiter.next = nullptr;
  Waiter* const first = find(key);
  if (first == nullptr) {
    waiter.previous = nullptr;
    waiter.last = &waiter;
    waiter.size = 1;
    link_queue(waiter);
    return;
  }
  waiter.previous = first->last;
  first->last->next = &waiter;
  first->last = &waiter;
  ++first->size;
}

void Bucket::push_front(Waiter& waiter, const void* key) noexcept {
  Waiter* const first = find(key);
  if (first == nullptr) return push_back(waiter, key);
  set_key(waiter, key);
  waiter.queued = true;
  waiter.previous = nullptr;
  waiter.next = first;
  first->previous = &waiter;
  replace_first(*first, waiter, first->size + 1);
}

void Bucket::remove(Waiter& waiter) noexcept {
  THREADING_INVARIANT(waiter.queued, "a waiter leaves its queue once");
  waiter.queued = false;
  Waiter* const next = waiter.next;
  if (waiter.previous == nullptr) {
    if (next == nullptr) return unlink_queue(waiter);
    next->previous = nullptr;
    replace_first(waiter, *next, waiter.size - 1);
    return;
  }
  Waiter* const first = find(key_of(waiter));
  waiter.previous->next = next;
  if (next != nullptr) {
    next->previous = waiter.previous;
  } else {
    first->last = waiter.previous;
  }
  --first->size;
}

void Bucket::remove_front(Waiter& first, std::size_t count) noexcept {
  const std::size_t size = first.size;
  Waiter* waiter = &first;
  Waiter* tail = &first;
  for (std::size_t left = count; left != 0; --left) {
    THREADING_INVARIANT(waiter->queued, "a waiter leaves its queue once");
    waiter->queued = false;
    tail = waiter;
    waiter = waiter->next;
  }
  if (waiter == nullptr) {
    unlink_queue(first);
  } else {
    waiter->previous = nullptr;
    replace_first(first, *waiter, size - count);
  }
  tail->next = nullptr;
}

void Bucket::link_queue(Waiter& first) noexcept {
  first.previous_queue = nullptr;
  first.next_queue = first_queue;
  if (first_queue != nullptr) first_queue->previous_queue = &first;
  first_queue = &first;
}

void Bucket::unlink_queue(Waiter& first) noexcept {
  if (first.next_queue != nullptr) first.next_queue->previous_queue = first.previous_queue;
  if (first.previous_queue != nullptr) {
    first.previous_queue->next_queue = first.next_queue;
  } else {
    first_queue = first.next_queue;
  }
}

void Bucket::replace_first(Waiter& old_first, Waiter& new_first, std::size_t size) noexcept {
  new_first.last = old_first.last;
  new_first.size = size;
  new_first.next_queue = old_first.next_queue;
  new_first.previous_queue = old_first.previous_queue;
  if (new_first.next_queue != nullptr) new_first.next_queue->previous_queue = &new_first;
  if (new_first.previous_queue != nullptr) {
    new_first.previous_queue->next_queue = &new_first;
  } else {
    first_queue = &new_first;
  }
}

}  // namespace threading::inline v1::parking
