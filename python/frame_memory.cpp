// SPDX-License-Identifier: MIT
//
// From 3.11 on a thread keeps its Python frames in pieces of 16 KiB. The interpreter gets them from its arena
// allocator, which maps one when the thread calls its first Python function and unmaps it when the thread ends. For a
// short thread these are dear: both change the address space, so that other processors that run the process are
// interrupted, and in between the new pages fault. So the pieces that threads of the core are done with are kept for
// the next ones, a few at most.
//
// Threads that somebody else starts are left alone. Every piece comes from the allocator that was there before, so
// either of the two may free what the other gave.
//
// Moves    take: a slot's piece, by exchange. put: into an empty slot, by compare-exchange. Lock-free, so safe at any
//          moment of a fork, and among interpreters that have a GIL each.
// Orders   release of put pairs with acquire of take: the piece is no longer written by who put it.
#include "frame_memory.hpp"

#include <atomic>
#include <cstddef>

#include <threading/detail/backend.hpp>

namespace face {
namespace {

constexpr std::size_t kPiece = 16 * 1024;  // DATA_STACK_CHUNK_SIZE of CPython
constexpr std::size_t kMostKept = 16;

std::atomic<void*> kept[kMostKept];
PyObjectArenaAllocator below;  // written once, before `allocate` and `release` can be called

bool is_of_core() { return threading::detail::backend::per_thread().thread != nullptr; }

void* take() {
  for (std::atomic<void*>& slot : kept) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;  // relaxed: the exchange decides
    if (void* const piece = slot.exchange(nullptr, std::memory_order_acquire)) return piece;
  }
  return nullptr;
}

bool put(void* piece) {
  for (std::atomic<void*>& slot : kept) {
    void* expected = nullptr;
    // relaxed on failure: nothing was taken.
    if (slot.compare_exchange_strong(expected, piece, std::memory_order_release, std::memory_order_relaxed))
      return true;
  }
  return false;
}

void* allocate(void*, std::size_t size) {
  if (size == kPiece && is_of_core()) {
    if (void* const piece = take()) return piece;
  }
  return below.alloc(below.ctx, size);
}

void release(void*, void* piece, std::size_t size) {
  if (size == kPiece && is_of_core() && put(piece)) return;
  below.free(below.ctx, piece, size);
}

}  // namespace

void keep_frame_memory() {
  static std::atomic<bool> done{false};
  if (!kKeepsFramesInPieces || done.exchange(true, std::memory_order_relaxed)) return;  // relaxed: one of them does it
  PyObject_GetArenaAllocator(&below);
  PyObjectArenaAllocator ours{nullptr, &allocate, &release};
  PyObject_SetArenaAllocator(&ours);
}

}  // namespace face
