// SPDX-License-Identifier: MIT
//
// Addresses to names, by the debugging information where there is a reader for it, else by the dynamic symbols.
//
// Word     cache[i]: the symbol looked up last of all those whose address falls into slot i. Never freed, so a reader
//          needs no lock.
// Orders   acquire of a slot pairs with the release that filled it: the symbol behind it is complete.
#include "trace/names.hpp"

#include <cxxabi.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <threading/detail/mixed.hpp>
#include <threading/lock.hpp>
#include <threading/trace.hpp>

#include "trace/trace_state.hpp"

#if defined(THREADING_BACKTRACE_HEADER)
#include THREADING_BACKTRACE_HEADER
#endif

namespace threading::inline v1 {
namespace trace {
namespace {

namespace backend = detail::backend;

// What the readers found; still mangled.
struct Found {
  std::string symbol;    // the one that contains the address
  std::string function;  // the innermost there, also one that was inlined
  std::string file;
  int line = 0;
};

#if defined(THREADING_BACKTRACE_HEADER)
void ignore_error(void*, const char*, int) {}

int take_place(void* data, std::uintptr_t, const char* file, int line, const char* function) {
  auto& found = *static_cast<Found*>(data);
  if (file != nullptr) found.file = file;
  if (function != nullptr) found.function = function;
  found.line = file != nullptr ? line : 0;
  return file == nullptr ? 0 : 1;  // the first is the innermost: enough
}

void take_symbol(void* data, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
  if (symbol != nullptr) static_cast<Found*>(data)->symbol = symbol;
}

// The first call reads the debugging information of every object the program has loaded by then.
// Requires: the lock of the names.
void read_debugging_information(std::uintptr_t address, Found& found) {
  static backtrace_state* const state = backtrace_create_state(nullptr, 0, &ignore_error, nullptr);
  if (state == nullptr) return;
  backtrace_pcinfo(state, address, &take_place, &ignore_error, &found);
  backtrace_syminfo(state, address, &take_symbol, &ignore_error, &found);
}
#else
void read_debugging_information(std::uintptr_t, Found&) {}
#endif

std::string readable(const std::string& mangled) {
  const std::unique_ptr<char, decltype(&std::free)> name(demangled(mangled.c_str()), &std::free);
  std::string result = name != nullptr ? name.get() : mangled;
  // What the compiler made of one function has one name for the reader.
  if (const auto clone = result.find(" [clone "); clone != std::string::npos) result.erase(clone);
  return result;
}

// Requires: the lock of the names.
Symbol look_up(const void* address) {
  Found found;
  read_debugging_information(reinterpret_cast<std::uintptr_t>(address), found);
  Dl_info info{};
  if (found.symbol.empty() && dladdr(address, &info) != 0 && info.dli_sname != nullptr) found.symbol = info.dli_sname;
  // A mangled name tells most; an inlined function's, more than that of the function it was inlined into.
  const bool inlined = found.function.starts_with("_Z");
  std::string name = readable(inlined || found.symbol.empty() ? found.function : found.symbol);
  if (name.empty()) {
    char text[2 + 2 * sizeof(void*) + 1];
    std::snprintf(text, sizeof text, "%p", address);
    name = text;
  }
  return {address, std::move(name), std::move(found.file), found.line};
}

struct Names {
  Lock lock;  // guards the map, and the reader of debugging information
  std::unordered_map<const void*, std::unique_ptr<const Symbol>> by_address;
};

// Never destroyed: threads may trace while the process ends.
Names& names() {
  static Names& made = *new Names;
  return made;
}

// 8 KiB; a program's functions that run again and again are fewer.
constexpr unsigned kSlotBits = 10;
constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
constinit backend::atomic<const Symbol*> cache[kSlots] = {};

backend::atomic<const Symbol*>& slot_of(const void* address) noexcept {
  return cache[detail::mixed(reinterpret_cast<std::uintptr_t>(address)) >> (64 - kSlotBits)];
}

// A return address is behind the call, which may have been the last instruction of its line, or of its function.
const void* before(const void* return_address) noexcept { return static_cast<const char*>(return_address) - 1; }

SourcePlace place_at(const void* address) {
  const Symbol& symbol = symbol_at(address);
  return {symbol.file, symbol.line};
}

}  // namespace

char* demangled(const char* mangled) noexcept {
  int status = 0;
  return abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
}

const Symbol& symbol_at(const void* address) {
  auto& slot = slot_of(address);
  // acquire pairs with the release below.
  const Symbol* known = slot.load(std::memory_order_acquire);
  if (known != nullptr && known->address == address) return *known;

  const Untraced quiet(backend::per_thread());
  Names& all = names();
  const std::scoped_lock hold(all.lock);
  auto& entry = all.by_address[address];
  if (!entry) entry = std::make_unique<const Symbol>(look_up(address));
  // release pairs with the acquire above.
  slot.store(entry.get(), std::memory_order_release);
  return *entry;
}

std::string_view without_return_type(std::string_view pretty) noexcept {
  // The name begins behind the last blank before the parameters, and those begin at the first parenthesis outside of
  // template arguments that is not "(anonymous namespace)", which has nothing or "::" before it. An operator's name may
  // hold blanks and brackets of its own.
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < pretty.size(); ++i) {
    const std::string_view rest = pretty.substr(i);
    const bool is_operator = depth == 0 && rest.starts_with("operator");
    if (is_operator || (depth == 0 && rest.starts_with('(') && i > begin && pretty[i - 1] != ':')) {
      return pretty.substr(begin, std::min(pretty.find(" [", i), pretty.size()) - begin);
    }
    if (rest.starts_with('<') || rest.starts_with('(')) ++depth;
    if (rest.starts_with('>') || rest.starts_with(')')) --depth;
    if (rest.starts_with(' ') && depth == 0) begin = i + 1;
  }
  return pretty;
}

void lock_names() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { names().lock.lock(); }
void unlock_names() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { names().lock.unlock(); }

}  // namespace trace

std::string_view TraceEvent::name() const {
  if (known_name != nullptr) return trace::without_return_type(known_name);
  if (function != nullptr) return trace::symbol_at(function).name;
  if (call_site != nullptr) return trace::symbol_at(trace::before(call_site)).name;
  return {};
}

SourcePlace TraceEvent::where() const {
  if (known_file != nullptr) return {known_file, known_line};
  if (known_name != nullptr) return {};
  if (function != nullptr) return trace::place_at(function);
  if (call_site != nullptr) return trace::place_at(trace::before(call_site));
  return {};
}

SourcePlace TraceEvent::called_from() const {
  return call_site == nullptr ? SourcePlace{} : trace::place_at(trace::before(call_site));
}

std::string TraceEvent::exception_name() const {
  if (exception_type == nullptr) return {};
  const std::unique_ptr<char, decltype(&std::free)> name(trace::demangled(exception_type->name()), &std::free);
  return name != nullptr ? name.get() : exception_type->name();
}

std::string_view to_string(TraceEvent::Kind kind) noexcept {
  switch (kind) {
    case TraceEvent::call: return "call";
    case TraceEvent::return_: return "return";
    case TraceEvent::line: return "line";
    case TraceEvent::exception: return "exception";
    case TraceEvent::c_call: return "c_call";
    case TraceEvent::c_return: return "c_return";
  }
  return "?";
}

}  // namespace threading::inline v1
