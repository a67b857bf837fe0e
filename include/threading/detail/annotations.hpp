// SPDX-License-Identifier: MIT
//
// Clang's thread-safety attributes under short names; nothing under other compilers. With -Wthread-safety they turn
// "this field is read without its lock" into a compile-time diagnosis.
#pragma once

#if defined(__clang__) && !defined(SWIG)
#define THREADING_TSA(x) __attribute__((x))
#else
#define THREADING_TSA(x)
#endif

#define THREADING_CAPABILITY(name) THREADING_TSA(capability(name))
#define THREADING_SCOPED_CAPABILITY THREADING_TSA(scoped_lockable)
#define THREADING_GUARDED_BY(lock) THREADING_TSA(guarded_by(lock))
#define THREADING_PT_GUARDED_BY(lock) THREADING_TSA(pt_guarded_by(lock))
#define THREADING_ACQUIRE(...) THREADING_TSA(acquire_capability(__VA_ARGS__))
#define THREADING_TRY_ACQUIRE(...) THREADING_TSA(try_acquire_capability(__VA_ARGS__))
#define THREADING_RELEASE(...) THREADING_TSA(release_capability(__VA_ARGS__))
#define THREADING_REQUIRES(...) THREADING_TSA(requires_capability(__VA_ARGS__))
#define THREADING_EXCLUDES(...) THREADING_TSA(locks_excluded(__VA_ARGS__))
#define THREADING_NO_THREAD_SAFETY_ANALYSIS THREADING_TSA(no_thread_safety_analysis)
