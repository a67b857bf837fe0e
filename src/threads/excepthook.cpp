// SPDX-License-Identifier: MIT
//
// What becomes of an exception that leaves run().
//
// Word     the hook that is set, shared by the calls that are on their way; null: the default.
// Moves    set_excepthook(): under the lock. A call copies the pointer under the lock and calls without it.
// I1       User code, the hook's destructor included, never runs under the lock.
// I2       Nothing but a forced unwind leaves report().
// Orders   The lock orders everything.
// Destroy  A hook that was replaced goes with the last call of it.
#include "threads/excepthook.hpp"

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <typeinfo>

#include <threading/embedding.hpp>
#include <threading/with.hpp>

#include "threads/fork_locks.hpp"
#include "threads/internal_lock.hpp"
#include "threads/registry.hpp"
#include "threads/shutdown.hpp"

namespace threading::inline v1 {
namespace {

using HookPtr = std::shared_ptr<const ExceptHook>;

constinit threads::InternalLock hook_lock;
// A pointer, so that nothing is destroyed when the process ends: threads may still fail then.
constinit HookPtr* hook = nullptr;  // guarded by hook_lock

HookPtr hook_now() {
  const With hold(hook_lock);
  return hook == nullptr ? nullptr : *hook;
}

std::string demangled(const std::type_info* type) {
  if (type == nullptr) return "unknown exception";
  int status = 0;
  char* const text = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string result = status == 0 ? text : type->name();
  std::free(text);
  return result;
}

// "type: text" of an exception, which may have forgotten its text. What it throws itself is not asked for.
std::string described(const std::exception_ptr& failure) {
  if (!failure) return "no exception";
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    const char* const text = error.what();
    return demangled(&typeid(error)) + ": " + (text != nullptr ? text : "");
  } catch (...) {
    return demangled(abi::__cxa_current_exception_type());
  }
}

// One call, so that lines of several threads do not mix.
void print(const std::string& text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void default_hook(const ExceptHookArgs& args) {
  print("Exception in thread " + args.thread.name() + ":\n" + described(args.exception) + "\n");
}

void hook_has_failed(const Thread& thread, const std::exception_ptr& failure) noexcept {
  try {
    print("Exception in threading.excepthook for thread " + thread.name() + ":\n" + described(failure) + "\n");
  } catch (...) {
    print("Exception in threading.excepthook\n");
  }
}

}  // namespace

ExceptHook set_excepthook(ExceptHook changed) {
  HookPtr next = changed ? std::make_shared<const ExceptHook>(std::move(changed)) : nullptr;
  {
    const With hold(hook_lock);
    if (hook == nullptr) hook = new HookPtr;
    hook->swap(next);
  }
  return next ? *next : ExceptHook();
}

void excepthook(const ExceptHookArgs& args) {
  const HookPtr set = hook_now();
  if (set) {
    (*set)(args);
  } else {
    default_hook(args);
  }
}

namespace threads {

// As run_body(): a forced unwind has no object.
__attribute__((no_sanitize("null"))) void report(detail::ThreadState& state, std::exception_ptr failure) {
  const Thread thread = detail::ThreadAccess::share(state);
  std::exception_ptr hook_failure;
  try {
    {
      const With hold(registry_lock);
      extras_of(state).failure = failure;
    }
    excepthook({failure, thread});
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    hook_failure = std::current_exception();
  }
  if (!hook_failure) return;
  hook_has_failed(thread, hook_failure);
  try {
    default_hook({failure, thread});
  } catch (const std::exception&) {
    print("Exception in a thread; no memory to tell more\n");
  }
}

void lock_hooks() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { hook_lock.lock(); }
void unlock_hooks() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { hook_lock.unlock(); }
void reset_hooks_after_fork() noexcept { Embedding::reset_after_fork(hook_lock); }

}  // namespace threads
}  // namespace threading::inline v1
