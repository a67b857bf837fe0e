// SPDX-License-Identifier: MIT
//
// What every header needs before it can declare anything: which names leave the shared library, and the version of
// the interface. Everything public lives in `namespace threading::inline v1`, so that two incompatible versions can
// meet in one process without sharing symbols.
#pragma once

#if defined(__GNUC__)
#define THREADING_API __attribute__((visibility("default")))
#define THREADING_COLD __attribute__((cold, noinline))
#else
#define THREADING_API
#define THREADING_COLD
#endif

// Whether this is compiled for the thread sanitizer.
#if defined(__SANITIZE_THREAD__)
#define THREADING_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADING_THREAD_SANITIZER 1
#endif
#endif
#if !defined(THREADING_THREAD_SANITIZER)
#define THREADING_THREAD_SANITIZER 0
#endif

#define THREADING_VERSION_MAJOR 1
#define THREADING_VERSION_MINOR 0
#define THREADING_VERSION_PATCH 0

namespace threading::inline v1 {
// The one friend of the primitives: what a language runtime needs of them, see embedding.hpp.
struct Embedding;
}  // namespace threading::inline v1
