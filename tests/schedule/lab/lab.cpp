// SPDX-License-Identifier: MIT
#include "lab.hpp"

#include <cstdio>
#include <memory>

#include "race.hpp"
#include "report.hpp"
#include "world.hpp"

namespace lab {

using detail::World;

namespace {

struct FunctionBody final : detail::Body {
  explicit FunctionBody(std::function<void()> body) : function(std::move(body)) {}
  void run() override { function(); }
  std::function<void()> function;
};

World& world() noexcept { return *detail::the_world; }

unsigned start(const char* name, std::function<void()> body, bool background) {
  return world().spawn(name, new FunctionBody(std::move(body)), background);
}

}  // namespace

void check(bool holds, const char* what, Site site) {
  if (!holds) fail(std::string("not so: ") + what + ", at " + detail::describe_site(site));
}

void fail(const std::string& what, const char* kind) { world().fail(kind, what); }

void note(const std::string& text, Site site) {
  if (world().tracing())
    world().trace(
        "*", nullptr, [&] { return text; }, site);
}

void together(std::initializer_list<Role> roles) {
  unsigned ids[detail::kMaxThreads];
  unsigned count = 0;
  // No schedule point in between: that some start later than others is already a choice of the schedule.
  for (const Role& role : roles) ids[count++] = start(role.name, role.body, false);
  for (unsigned i = 0; i < count; ++i) world().join(ids[i], Site::here());
}

Thread spawn(const char* name, std::function<void()> body, bool background) {
  world().point();
  if (world().tracing()) world().trace("starts", nullptr, name, Site::here());
  return Thread(start(name, std::move(body), background));
}

bool try_spawn(const char* name, std::function<void()> body, Thread& thread, bool background) {
  world().point();
  if (world().fault(detail::Fault::spawn)) {
    if (world().tracing()) world().trace("cannot start", nullptr, name, Site::here());
    return false;
  }
  try {
    thread = Thread(start(name, std::move(body), background));
  } catch (const std::bad_alloc&) {  // as the system says it when it has no memory for a stack
    return false;
  }
  return true;
}

void Thread::join(Site site) const { world().join(id_, site); }

const Options& options() { return *world().setup().options; }

const char* thread_name() { return world().self().name; }

unsigned thread_id() {
  World* const w = detail::active_world();
  return w == nullptr ? 0 : w->self().id;
}

void set_thread_hooks(void (*start)(), void (*exit)()) {
  detail::at_thread_start = start;
  detail::at_thread_exit = exit;
}

void set_scenario_end(void (*function)()) { detail::at_scenario_end = function; }

void vanish_others() { world().vanish_others(); }

void exit_process() {
  World& w = world();
  // Others may move on before the process is gone.
  w.point();
  w.remember(0xe817);
  while (!w.exit_handlers.empty()) {
    void (*const handler)() = w.exit_handlers.back();
    w.exit_handlers.pop_back();
    handler();
  }
  w.point();
  if (w.exit_check != nullptr) w.exit_check();
  w.end_process();
  __builtin_unreachable();
}

void set_exit_check(void (*function)()) { world().exit_check = function; }

void sleep_for_ever(Site site) {
  world().point();
  world().sleep_for_ever(site);
  __builtin_unreachable();
}

void run_in_background() {
  if (World* const w = detail::active_world()) w->run_in_background();
}

bool runs_in_background(unsigned thread) { return thread < detail::kMaxThreads && world().fiber(thread).background; }

bool is_initial_thread() {
  World* const w = detail::active_world();
  return w == nullptr || w->self().id == 0 || w->forked();
}

void rename_thread(const char* name) {
  if (World* const w = detail::active_world()) std::snprintf(w->self().name, sizeof w->self().name, "%s", name);
}

unsigned choose(unsigned options) { return world().choose(options); }

void* detail::allocate_named(std::size_t size, std::size_t alignment, const char* name) {
  void* const memory = world().allocate(size, alignment);
  world().name(memory, size, name);
  return memory;
}

void name(const void* begin, std::size_t size, const char* name) { world().name(begin, size, name); }

void watch(const char* name, const void* word, std::uint64_t mask, std::initializer_list<std::uint64_t> legal) {
  world().memory.watch(name, word, mask, legal);
}

std::size_t live_allocations() { return world().live_allocations(); }

void mark(std::uint64_t value) {
  World& w = world();
  w.remember(detail::mix(w.marks_hash, value));
  w.marks_hash = w.self().hash;
  const detail::Outside outside(w);
  w.marks.push_back(value);
}

std::size_t mark_count() { return world().marks.size(); }

std::uint64_t mark_at(std::size_t index) { return world().marks.at(index); }

void detail::plain_access(const void* where, std::size_t size, bool write, const Site& site) {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  World* const w = active_world();
  if (w == nullptr || !Space::is_tracked(address)) return;
  if (write) {
    w->memory.plain_write(w->self(), address, size, site);
  } else {
    w->memory.plain_read(w->self(), address, size, site);
  }
  if (w->tracing()) w->trace(write ? "writes" : "reads", where, "", site);
}

}  // namespace lab
