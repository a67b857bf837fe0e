// SPDX-License-Identifier: MIT
#include "platform/block.hpp"

#include <new>

namespace threading::inline v1::platform {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(THREADING_WATCHED_BLOCKS)
constexpr bool kIsWatched = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool kIsWatched = true;
#else
constexpr bool kIsWatched = false;
#endif
#else
constexpr bool kIsWatched = false;
#endif

}  // namespace

Block take_block(std::size_t size, std::size_t align) {
  if (align > __STDCPP_DEFAULT_NEW_ALIGNMENT__) return {::operator new(size, std::align_val_t{align}), 0};
  if constexpr (!kIsWatched) {
    const Block pooled = take_pooled(size);
    if (pooled.number != 0) return pooled;
  }
  return {::operator new(size), 0};
}

void give_back_block(Block block, std::size_t align) noexcept {
  if (block.number != 0) {
    give_back_pooled(block.number);
  } else if (align > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    ::operator delete(block.at, std::align_val_t{align});
  } else {
    ::operator delete(block.at);
  }
}

}  // namespace threading::inline v1::platform
