// SPDX-License-Identifier: MIT
//
// What the primitives promise, one operation at a time: the documented semantics, for history.hpp.
//
// A bounded wait that gives up is legal only in a state in which it had to wait: the thread looked, and it was so.
#pragma once

#include <cstdint>

#include "history.hpp"

namespace lab::models {

namespace detail {
inline std::uint64_t hash(std::uint64_t a, std::uint64_t b) {
  return (a ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u + b;
}
}  // namespace detail

struct Lock {
  enum What : int { kAcquire, kRelease, kLocked };
  bool held = false;

  static unsigned phases(const Operation&) { return 1; }
  static const char* name(int what) {
    constexpr const char* names[] = {"acquire", "release", "locked"};
    return names[what];
  }
  std::uint64_t key() const { return held; }
  // acquire: result 1 took it, 0 gave up. release: 1 done, 0 RuntimeError.
  bool apply(const Operation& op, unsigned) {
    switch (op.what) {
      case kAcquire:
        if (op.result == 0) return held;
        if (held) return false;
        held = true;
        return true;
      case kRelease:
        if (op.result != (held ? 1 : 0)) return false;
        held = false;
        return true;
      default: return op.result == (held ? 1 : 0);
    }
  }
};

struct RLock {
  enum What : int { kAcquire, kRelease, kLocked };
  unsigned owner = ~0u;
  unsigned depth = 0;

  static unsigned phases(const Operation&) { return 1; }
  static const char* name(int what) { return Lock::name(what); }
  std::uint64_t key() const { return detail::hash(owner, depth); }
  bool apply(const Operation& op, unsigned) {
    const bool mine = depth != 0 && owner == op.thread;
    switch (op.what) {
      case kAcquire:
        if (op.result == 0) return depth != 0 && !mine;
        if (depth != 0 && !mine) return false;
        owner = op.thread;
        ++depth;
        return true;
      case kRelease:
        if (op.result != (mine ? 1 : 0)) return false;
        if (mine) --depth;
        return true;
      default: return op.result == (depth != 0 ? 1 : 0);
    }
  }
};

struct Semaphore {
  enum What : int { kAcquire, kRelease, kValue };
  std::int64_t value = 0;
  std::int64_t bound = INT64_MAX;

  static unsigned phases(const Operation&) { return 1; }
  static const char* name(int what) { return what == kAcquire ? "acquire" : what == kRelease ? "release" : "value"; }
  std::uint64_t key() const { return static_cast<std::uint64_t>(value); }
  // release: argument n; result 1 done, 0 ValueError.
  bool apply(const Operation& op, unsigned) {
    if (op.what == kAcquire) {
      if (op.result == 0) return value == 0;
      return value-- > 0;
    }
    if (op.what == kValue) return op.result == value;
    const bool fits = value <= bound - op.argument;
    if (op.result != (fits ? 1 : 0)) return false;
    if (fits) value += op.argument;
    return true;
  }
};

// A wait that was going on when the flag was set returns true, whatever happens to the flag afterwards: in two steps
// it joins, and leaves either let go or, while not let go, by giving up.
struct Event {
  enum What : int { kSet, kClear, kIsSet, kWait };
  bool flag = false;
  std::uint32_t waiting = 0;  // by thread
  std::uint32_t let_go = 0;

  static unsigned phases(const Operation& op) { return op.what == kWait ? 2 : 1; }
  static const char* name(int what) {
    constexpr const char* names[] = {"set", "clear", "is_set", "wait"};
    return names[what];
  }
  std::uint64_t key() const {
    return (flag ? 1u : 0u) | (static_cast<std::uint64_t>(waiting) << 1) | (static_cast<std::uint64_t>(let_go) << 16);
  }
  bool apply(const Operation& op, unsigned phase) {
    const std::uint32_t me = 1u << op.thread;
    switch (op.what) {
      case kSet:
        flag = true;
        let_go |= waiting;
        waiting = 0;
        return true;
      case kClear: flag = false; return true;
      case kIsSet: return op.result == (flag ? 1 : 0);
      default: break;
    }
    if (phase == 0) {
      (flag ? let_go : waiting) |= me;
      return true;
    }
    if (op.result == 1) {
      if ((let_go & me) == 0) return false;
      let_go &= ~me;
      return true;
    }
    if ((waiting & me) == 0) return false;
    waiting &= ~me;
    return true;
  }
};

// Condition over a Lock. wait: joins the queue and frees the lock; one that gives up leaves the queue; and in the end
// it takes the lock back. notify(n) picks exactly the first min(n, waiting).
struct Condition {
  enum What : int { kAcquire, kRelease, kWait, kNotify };
  bool held = false;
  std::uint64_t queue = 0;  // thread + 1 in each byte, first in the lowest
  std::uint32_t notified = 0;

  static unsigned phases(const Operation& op) { return op.what != kWait ? 1 : op.result == 1 ? 2 : 3; }
  static const char* name(int what) {
    constexpr const char* names[] = {"acquire", "release", "wait", "notify"};
    return names[what];
  }
  std::uint64_t key() const { return detail::hash(queue, notified * 2 + (held ? 1 : 0)); }
  bool apply(const Operation& op, unsigned phase) {
    switch (op.what) {
      case kAcquire:
        if (held) return false;
        held = true;
        return true;
      case kRelease: held = false; return true;
      case kNotify:
        for (std::int64_t n = op.argument; n > 0 && queue != 0; --n, queue >>= 8)
          notified |= 1u << ((queue & 0xff) - 1);
        return true;
      default:
        if (phase == 0) return join(op.thread);
        return op.result == 0 && phase == 1 ? give_up(op.thread) : take_back(op);
    }
  }

 private:
  bool join(unsigned thread) {
    unsigned at = 0;
    while (((queue >> at) & 0xff) != 0) at += 8;
    queue |= static_cast<std::uint64_t>(thread + 1) << at;
    held = false;
    return true;
  }
  bool give_up(unsigned thread) {
    for (unsigned at = 0; at < 64; at += 8) {
      if (((queue >> at) & 0xff) != thread + 1) continue;
      const std::uint64_t below = queue & ((std::uint64_t{1} << at) - 1);
      queue = below | (at + 8 < 64 ? (queue >> (at + 8)) << at : 0);
      return true;
    }
    return false;
  }
  bool take_back(const Operation& op) {
    if (held) return false;
    held = true;
    if (op.result == 0) return true;
    const std::uint32_t me = 1u << op.thread;
    if ((notified & me) == 0) return false;
    notified &= ~me;
    return true;
  }
};

// Barrier without an action. wait: arrives; leaves with its index once all have arrived, or broken (-1).
struct Barrier {
  enum What : int { kWait, kAbort, kReset, kBroken };
  unsigned parties = 2;
  unsigned arrived = 0;
  bool broken = false;
  std::uint32_t inside = 0;  // arrived, not let go
  std::uint32_t passed = 0;  // let go
  std::uint32_t failed = 0;  // let go with an error
  std::uint32_t index = 0;   // four bits a thread

  static unsigned phases(const Operation& op) { return op.what == kWait ? 2 : 1; }
  static const char* name(int what) {
    constexpr const char* names[] = {"wait", "abort", "reset", "broken"};
    return names[what];
  }
  std::uint64_t key() const {
    return detail::hash(detail::hash(inside | (passed << 8) | (failed << 16), index), arrived * 2 + (broken ? 1 : 0));
  }
  bool apply(const Operation& op, unsigned phase) {
    switch (op.what) {
      case kAbort: break_all(true); return true;
      case kReset: break_all(false); return true;
      case kBroken: return op.result == (broken ? 1 : 0);
      default: return phase == 0 ? arrive(op.thread) : leave(op);
    }
  }

 private:
  void break_all(bool stays_broken) {
    failed |= inside;
    inside = 0;
    arrived = 0;
    broken = stays_broken;
  }
  bool arrive(unsigned thread) {
    const std::uint32_t me = 1u << thread;
    if (broken) {
      failed |= me;
      return true;
    }
    index = (index & ~(0xfu << (4 * thread))) | (arrived << (4 * thread));
    inside |= me;
    if (++arrived < parties) return true;
    passed |= inside;
    inside = 0;
    arrived = 0;
    return true;
  }
  bool leave(const Operation& op) {
    const std::uint32_t me = 1u << op.thread;
    if (op.result >= 0) {
      if ((passed & me) == 0 || ((index >> (4 * op.thread)) & 0xf) != op.result) return false;
      passed &= ~me;
      return true;
    }
    if ((failed & me) == 0) {
      // It gave up while it waited, and that breaks the barrier for the others.
      if ((inside & me) == 0 || op.argument == 0) return false;
      break_all(true);
    }
    failed &= ~me;
    return true;
  }
};

}  // namespace lab::models
