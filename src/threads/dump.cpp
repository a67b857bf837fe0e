// SPDX-License-Identifier: MIT
//
// Who waits for what: the registry's threads, each joined by its token with the lot's record of its wait. Nothing is
// recorded for this; it is all there already.
//
// Orders   The registry is copied under its lock, each queue of the lot under its bucket's, one after the other. So a
//          thread may be shown waiting for a lock that has been released since; every line is true of its moment.
#include <threading/dump.hpp>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <unordered_map>

#include <threading/with.hpp>

#include "base/hooks.hpp"
#include "parking/inspect.hpp"
#include "threads/life.hpp"
#include "threads/registry.hpp"

namespace threading::inline v1 {
namespace {

using detail::ThreadState;
using parking::WaitRecord;

constexpr const char* kForeign = "foreign thread";

struct Known {
  ThreadInfo info;
  ThreadToken token;
};

std::vector<Known> known_threads() {
  std::vector<Known> found;
  const With hold(threads::registry_lock);
  found.reserve(threads::listed_count());
  for (const ThreadState* state = threads::next_listed(nullptr); state != nullptr;
       state = threads::next_listed(state)) {
    Known known;
    known.info.name = threads::name_of(*state);
    const Ident ident = threads::ident_of(*state);
    // relaxed, all of them: for display.
    if (ident != 0) known.info.ident = ident;
    known.info.daemon = state->is_daemon.load(std::memory_order_relaxed);
    known.token = state->join.token.load(std::memory_order_relaxed);
    const auto native = static_cast<NativeId>(state->native_id.load(std::memory_order_relaxed));
    if (native > 0) {
      known.info.native_id = native;
    } else if (state->kind == ThreadState::Kind::timer) {
      known.info.state = ThreadInfo::State::pending;
      // relaxed: filled before the first Timer was made.
      const std::int64_t deadline = base::hooks.timer_deadline.load(std::memory_order_relaxed)(*state);
      known.info.wait = WaitInfo{.kind = "Timer", .object = state, .deadline = Deadline::at(deadline), .held_by = {}};
    }
    found.push_back(std::move(known));
  }
  return found;
}

std::vector<WaitRecord> waiting_threads() {
  std::vector<WaitRecord> records(64);
  for (;;) {
    const std::size_t count = parking::collect_waiters(records.data(), records.size());
    if (count <= records.size()) {
      records.resize(count);
      return records;
    }
    records.resize(count + count / 4);
  }
}

class Names {
 public:
  explicit Names(const std::vector<Known>& known) {
    for (const Known& one : known) {
      if (one.token != 0) names_.emplace(one.token, one.info.name);
    }
  }
  std::string of(ThreadToken token) const {
    if (token == 0) return {};
    const auto found = names_.find(token);
    return found == names_.end() ? kForeign : found->second;
  }

 private:
  std::unordered_map<ThreadToken, std::string> names_;
};

WaitInfo wait_of(const WaitRecord& record, const Names& names) {
  return {record.kind, record.object, record.since, record.deadline, names.of(record.owner)};
}

std::string seconds(std::int64_t nanoseconds) {
  std::ostringstream text;
  text.precision(3);
  text << std::fixed << static_cast<double>(nanoseconds) / 1e9 << " s";
  return text.str();
}

void print_wait(std::ostream& out, const ThreadInfo& thread, std::int64_t now) {
  const WaitInfo& wait = *thread.wait;
  if (thread.state == ThreadInfo::State::pending) {
    out << "pending";
    if (!wait.deadline.is_never()) out << ", fires in " << seconds(wait.deadline.nanoseconds() - now);
    return;
  }
  out << "waiting for " << wait.kind << " at " << wait.object << " since " << seconds(now - wait.since);
  if (!wait.deadline.is_never()) out << ", for another " << seconds(wait.deadline.nanoseconds() - now);
  if (!wait.held_by.empty()) out << ", held by " << wait.held_by;
}

}  // namespace

std::vector<ThreadInfo> snapshot() {
  std::vector<Known> known = known_threads();
  const std::vector<WaitRecord> waiting = waiting_threads();
  const Names names(known);
  std::unordered_map<ThreadToken, const WaitRecord*> unclaimed;
  for (const WaitRecord& record : waiting) unclaimed.emplace(record.thread, &record);

  std::vector<ThreadInfo> result;
  result.reserve(known.size());
  for (Known& one : known) {
    if (const auto found = unclaimed.find(one.token); found != unclaimed.end()) {
      one.info.state = ThreadInfo::State::waiting;
      one.info.wait = wait_of(*found->second, names);
      unclaimed.erase(found);
    }
    result.push_back(std::move(one.info));
  }
  // In the order of the lot's records, so that the same state prints the same.
  for (const WaitRecord& record : waiting) {
    if (unclaimed.erase(record.thread) == 0) continue;
    ThreadInfo foreign;
    foreign.name = kForeign;
    foreign.has_object = false;
    foreign.state = ThreadInfo::State::waiting;
    foreign.wait = wait_of(record, names);
    result.push_back(std::move(foreign));
  }
  return result;
}

void dump(std::ostream& out) {
  const std::vector<ThreadInfo> threads = snapshot();
  const std::int64_t now = detail::backend::monotonic_now();
  std::ostringstream text;
  text << threads.size() << (threads.size() == 1 ? " thread\n" : " threads\n");
  for (const ThreadInfo& thread : threads) {
    text << thread.name;
    if (thread.ident) text << ", ident " << *thread.ident;
    if (thread.native_id) text << ", native id " << *thread.native_id;
    if (thread.daemon) text << ", daemon";
    text << "\n  ";
    if (thread.wait) {
      print_wait(text, thread, now);
    } else {
      text << "running";
    }
    text << '\n';
  }
  out << text.str() << std::flush;
}

}  // namespace threading::inline v1
