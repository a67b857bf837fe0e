// SPDX-License-Identifier: MIT
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include <threading/trace.hpp>

#include "support/support.hpp"
#include "trace/names.hpp"
#include "trace/recorder.hpp"

namespace names_test {
struct Shape {
  __attribute__((noinline)) static int area(int x) { return x * x; }
};
__attribute__((noinline)) int visible(double) { return __LINE__; }
namespace {
__attribute__((noinline)) int hidden(int x) { return x + 1; }
}  // namespace
}  // namespace names_test

namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::StartsWith;
using threading::TraceEvent;
using threading::trace::without_return_type;

template <class F>
TraceEvent call_of(F* function) {
  return {.kind = TraceEvent::call, .function = reinterpret_cast<const void*>(function)};
}

// An address becomes the demangled name of the function that begins there, members and internal linkage included.
TEST(Names, AddressesBecomeNames) {
  EXPECT_EQ(call_of(&names_test::visible).name(), "names_test::visible(double)");
  EXPECT_EQ(call_of(&names_test::Shape::area).name(), "names_test::Shape::area(int)");
#if defined(CAN_READ_DEBUGGING_INFORMATION)
  EXPECT_EQ(call_of(&names_test::hidden).name(), "names_test::(anonymous namespace)::hidden(int)");
#endif
}

// With debugging information a function has a place. This one returns the line it is on.
TEST(Names, AddressesBecomePlaces) {
#if defined(CAN_READ_DEBUGGING_INFORMATION)
  const auto place = call_of(&names_test::visible).where();
  EXPECT_THAT(std::string(place.file), EndsWith("names_test.cpp"));
  EXPECT_EQ(place.line, names_test::visible(0));
#else
  GTEST_SKIP() << "no reader of debugging information in this build";
#endif
}

// Where a scope was called from is a place in the caller, on the line of the call.
TEST(Names, CallSitesBecomePlaces) {
#if defined(CAN_READ_DEBUGGING_INFORMATION)
  const NoFunctionsAfterwards cleaner;
  Recorder recorder;
  struct Callee {
    __attribute__((noinline)) static void enter() {
      THREADING_TRACE_SCOPE();
      asm volatile("");
    }
  };
  threading::sys::settrace(recorder.function());
  const int line = __LINE__ + 1;
  Callee::enter();
  asm volatile("");  // the call is not the function's last deed, or it would be a jump
  threading::sys::settrace({});
  ASSERT_FALSE(recorder.events().empty());
  const auto place = recorder.events()[0].called_from();
  EXPECT_THAT(std::string(place.file), EndsWith("names_test.cpp"));
  EXPECT_EQ(place.line, line);
#else
  GTEST_SKIP() << "no reader of debugging information in this build";
#endif
}

// What is at no function has its address for a name, and no place.
TEST(Names, UnknownAddressesAreShownAsTheyAre) {
  const TraceEvent event{.kind = TraceEvent::call, .function = reinterpret_cast<const void*>(std::uintptr_t{16})};
  EXPECT_EQ(event.name(), "0x10");
  EXPECT_EQ(event.where().line, 0);
  EXPECT_TRUE(event.where().file.empty());
  EXPECT_EQ(event.called_from().line, 0);
}

// A name is looked up once: whoever asks, at whatever time, gets the same text at the same place.
TEST(Names, NamesAreLookedUpOnce) {
  std::vector<std::string_view> names(4);
  support::Bunch bunch(4, [&](int index) {
    for (int i = 0; i < 100; ++i) names[static_cast<std::size_t>(index)] = call_of(&names_test::visible).name();
  });
  bunch.join();
  for (const auto& name : names) {
    EXPECT_EQ(name.data(), names[0].data());
    EXPECT_EQ(name, "names_test::visible(double)");
  }
}

// An exception event names the type.
TEST(Names, ExceptionTypesHaveNames) {
  const TraceEvent event{.kind = TraceEvent::exception, .exception_type = &typeid(std::out_of_range)};
  EXPECT_EQ(event.exception_name(), "std::out_of_range");
  EXPECT_EQ(TraceEvent{.kind = TraceEvent::call}.exception_name(), "");
}

// The library's own events are known by name without a look-up, and are nowhere in the source.
TEST(Names, LibraryEventsAreNowhere) {
  const TraceEvent event{.kind = TraceEvent::c_call, .function = &event, .known_name = "Lock"};
  EXPECT_EQ(event.name(), "Lock");
  EXPECT_EQ(event.where().line, 0);
}

struct Pretty {
  const char* text;
  const char* name;
};
struct PrettyNames : testing::TestWithParam<Pretty> {};

// What compilers call a function in its own body becomes its name and parameters.
TEST_P(PrettyNames, LoseTheirReturnType) { EXPECT_EQ(without_return_type(GetParam().text), GetParam().name); }

INSTANTIATE_TEST_SUITE_P(
    Names, PrettyNames,
    testing::Values(Pretty{"int main(int, char**)", "main(int, char**)"},
                    Pretty{"virtual void A::run() const", "A::run() const"}, Pretty{"unsigned int f()", "f()"},
                    Pretty{"std::pair<int, long> f(int)", "f(int)"},
                    Pretty{"std::map<int, void (*)(int)> f(int)", "f(int)"},
                    Pretty{"T A<T>::f(T) [with T = int]", "A<T>::f(T)"},
                    Pretty{"T A<int>::f(T) [T = int]", "A<int>::f(T)"},
                    Pretty{"int (anonymous namespace)::f(int)", "(anonymous namespace)::f(int)"},
                    Pretty{"int A::(anonymous namespace)::f(int)", "A::(anonymous namespace)::f(int)"},
                    Pretty{"int {anonymous}::f(int)", "{anonymous}::f(int)"}, Pretty{"A::A()", "A::A()"},
                    Pretty{"main()::<lambda(int)>", "main()::<lambda(int)>"},
                    Pretty{"A::operator bool() const", "A::operator bool() const"},
                    Pretty{"bool A::operator()(int)", "A::operator()(int)"},
                    Pretty{"bool operator<(A, A)", "operator<(A, A)"}, Pretty{"Lock", "Lock"}));

}  // namespace
