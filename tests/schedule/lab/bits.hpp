// SPDX-License-Identifier: MIT
//
// The value of an atomic of any size, as 64 bits.
#pragma once

#include <cstdint>
#include <cstring>

namespace lab::detail {

constexpr std::uint64_t truncate(std::uint64_t value, unsigned size) noexcept {
  return size == 8 ? value : value & ((std::uint64_t{1} << (size * 8)) - 1);
}

template <class T>
T load_as(const void* where) noexcept {
  T value;
  std::memcpy(&value, where, sizeof value);
  return value;
}

template <class T>
void store_as(void* where, std::uint64_t value) noexcept {
  const T part = static_cast<T>(value);
  std::memcpy(where, &part, sizeof part);
}

// By size: eight bytes that are read when fewer of them have just been written stall the processor.
inline std::uint64_t load_bits(const void* where, unsigned size) noexcept {
  switch (size) {
    case 1: return load_as<std::uint8_t>(where);
    case 2: return load_as<std::uint16_t>(where);
    case 4: return load_as<std::uint32_t>(where);
    default: return load_as<std::uint64_t>(where);
  }
}

inline void store_bits(void* where, unsigned size, std::uint64_t value) noexcept {
  switch (size) {
    case 1: return store_as<std::uint8_t>(where, value);
    case 2: return store_as<std::uint16_t>(where, value);
    case 4: return store_as<std::uint32_t>(where, value);
    default: return store_as<std::uint64_t>(where, value);
  }
}

}  // namespace lab::detail
