// SPDX-License-Identifier: MIT
//
// lab::atomic<T>: the interface of std::atomic<T>, every operation a schedule point. Orders are always spelled, as
// the library's rules demand. Outside an execution it is a plain value.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "rmw.hpp"
#include "site.hpp"

namespace lab {

namespace detail {

std::uint64_t atomic_load(const void* where, unsigned size, std::memory_order order, const Site& site) noexcept;
void atomic_store(void* where, unsigned size, std::uint64_t value, std::memory_order order, const Site& site) noexcept;
std::uint64_t atomic_modify(void* where, unsigned size, Rmw how, std::uint64_t operand, std::memory_order order,
                            const Site& site) noexcept;
bool atomic_compare_exchange(void* where, unsigned size, std::uint64_t& expected, std::uint64_t desired,
                             std::memory_order success, std::memory_order failure, bool weak,
                             const Site& site) noexcept;
// A new atomic begins its life in this memory.
void atomic_created(const void* where, unsigned size, const Site& site) noexcept;

template <class T>
std::uint64_t to_bits(T value) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) noexcept {
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof value);
  return value;
}

constexpr std::memory_order failure_order(std::memory_order order) noexcept {
  if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
  if (order == std::memory_order_release) return std::memory_order_relaxed;
  return order;
}

}  // namespace detail

// What atomic and atomic_ref have in common. Self::where() is the address of the value.
template <class T, class Self>
class AtomicOperations {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8 && (sizeof(T) & (sizeof(T) - 1)) == 0);

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  T load(std::memory_order order, Site site = Site::here()) const noexcept {
    return detail::from_bits<T>(detail::atomic_load(where(), sizeof(T), order, site));
  }
  void store(T value, std::memory_order order, Site site = Site::here()) noexcept {
    detail::atomic_store(where(), sizeof(T), detail::to_bits(value), order, site);
  }
  T exchange(T value, std::memory_order order, Site site = Site::here()) noexcept {
    return modify(detail::Rmw::exchange, value, order, site);
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               Site site = Site::here()) noexcept {
    return compare(expected, desired, success, failure, false, site);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order, Site site = Site::here()) noexcept {
    return compare(expected, desired, order, detail::failure_order(order), false, site);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             Site site = Site::here()) noexcept {
    return compare(expected, desired, success, failure, true, site);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order, Site site = Site::here()) noexcept {
    return compare(expected, desired, order, detail::failure_order(order), true, site);
  }

  T fetch_add(T operand, std::memory_order order, Site site = Site::here()) noexcept
    requires std::is_integral_v<T>
  {
    return modify(detail::Rmw::add, operand, order, site);
  }
  T fetch_sub(T operand, std::memory_order order, Site site = Site::here()) noexcept
    requires std::is_integral_v<T>
  {
    return modify(detail::Rmw::sub, operand, order, site);
  }
  T fetch_and(T operand, std::memory_order order, Site site = Site::here()) noexcept
    requires std::is_integral_v<T>
  {
    return modify(detail::Rmw::bit_and, operand, order, site);
  }
  T fetch_or(T operand, std::memory_order order, Site site = Site::here()) noexcept
    requires std::is_integral_v<T>
  {
    return modify(detail::Rmw::bit_or, operand, order, site);
  }
  T fetch_xor(T operand, std::memory_order order, Site site = Site::here()) noexcept
    requires std::is_integral_v<T>
  {
    return modify(detail::Rmw::bit_xor, operand, order, site);
  }

 private:
  T* where() const noexcept { return static_cast<const Self*>(this)->where(); }

  T modify(detail::Rmw how, T operand, std::memory_order order, const Site& site) noexcept {
    return detail::from_bits<T>(detail::atomic_modify(where(), sizeof(T), how, detail::to_bits(operand), order, site));
  }

  bool compare(T& expected, T desired, std::memory_order success, std::memory_order failure, bool weak,
               const Site& site) noexcept {
    std::uint64_t seen = detail::to_bits(expected);
    const bool done = detail::atomic_compare_exchange(where(), sizeof(T), seen, detail::to_bits(desired), success,
                                                      failure, weak, site);
    if (!done) expected = detail::from_bits<T>(seen);
    return done;
  }
};

template <class T>
class atomic : public AtomicOperations<T, atomic<T>> {
 public:
  constexpr atomic() noexcept : value_() { created(Site::here()); }
  constexpr atomic(T value, Site site = Site::here()) noexcept : value_(value) { created(site); }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

 private:
  friend class AtomicOperations<T, atomic<T>>;

  constexpr void created(const Site& site) const noexcept {
    if (!std::is_constant_evaluated()) detail::atomic_created(&value_, sizeof(T), site);
  }
  T* where() const noexcept { return const_cast<T*>(&value_); }

  T value_;
};

template <class T>
class atomic_ref : public AtomicOperations<T, atomic_ref<T>> {
 public:
  explicit atomic_ref(T& value) noexcept : value_(&value) {}

 private:
  friend class AtomicOperations<T, atomic_ref<T>>;

  T* where() const noexcept { return value_; }

  T* value_;
};

}  // namespace lab
