// SPDX-License-Identifier: MIT
//
// What is linked into the program beside the library and produces events: a list that only grows.
#include <algorithm>
#include <initializer_list>

#include <threading/trace.hpp>

#include "trace/trace_state.hpp"

namespace threading::inline v1 {
namespace {

using detail::TraceSource;

constexpr unsigned kOfLibrary =
    1u << TraceEvent::call | 1u << TraceEvent::return_ | 1u << TraceEvent::c_call | 1u << TraceEvent::c_return;

// Sources add themselves from static initialisers, so this must be there before any of them.
constinit detail::backend::atomic<TraceSource*> first{nullptr};

// acquire pairs with the release in add_trace_source(): the source is complete.
TraceSource* sources() noexcept { return first.load(std::memory_order_acquire); }

}  // namespace

namespace detail {
void add_trace_source(TraceSource& source) noexcept {
  // relaxed: published by the exchange.
  source.next = first.load(std::memory_order_relaxed);
  // release pairs with sources(); relaxed on failure: tried again.
  while (!first.compare_exchange_weak(source.next, &source, std::memory_order_release, std::memory_order_relaxed)) {
  }
}
}  // namespace detail

namespace trace {
void activate_sources() noexcept {
  for (const TraceSource* source = sources(); source != nullptr; source = source->next) {
    if (source->activate != nullptr) source->activate();
  }
}
}  // namespace trace

std::vector<TraceEvent::Kind> events_available() {
  unsigned kinds = kOfLibrary;
  for (const TraceSource* source = sources(); source != nullptr; source = source->next) kinds |= source->kinds;
  std::vector<TraceEvent::Kind> result;
  for (const TraceEvent::Kind kind : {TraceEvent::call, TraceEvent::return_, TraceEvent::line, TraceEvent::exception,
                                      TraceEvent::c_call, TraceEvent::c_return}) {
    if ((kinds & (1u << kind)) != 0) result.push_back(kind);
  }
  return result;
}

std::vector<std::string_view> trace_sources() {
  std::vector<std::string_view> result{"library"};
  for (const TraceSource* source = sources(); source != nullptr; source = source->next)
    result.emplace_back(source->name);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace threading::inline v1
