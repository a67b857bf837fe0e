// SPDX-License-Identifier: MIT
//
// The exceptions: what each is caught as, and what it says.
#include <threading/errors.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>

#include <gtest/gtest.h>

namespace {

using namespace threading;

template <class Error, class Base>
constexpr bool kIsA = std::is_base_of_v<Base, Error> && std::is_convertible_v<Error*, Base*>;

static_assert(kIsA<RuntimeError, std::system_error>);
static_assert(kIsA<BrokenBarrierError, RuntimeError>);
static_assert(kIsA<DeadlockError, RuntimeError>);
static_assert(kIsA<ValueError, std::invalid_argument>);
static_assert(kIsA<OverflowError, std::overflow_error>);
static_assert(kIsA<AttributeError, std::out_of_range>);

// An exception that is copied while it is in flight must not throw another one.
static_assert(std::is_nothrow_copy_constructible_v<RuntimeError> && std::is_nothrow_copy_constructible_v<ValueError> &&
              std::is_nothrow_copy_constructible_v<BrokenBarrierError>);

// A C++ handler of the standard's base catches Python's error.
TEST(Errors, AreCaughtAsTheStandardsOwn) {
  EXPECT_THROW(throw RuntimeError("x"), std::system_error);
  EXPECT_THROW(throw RuntimeError("x"), std::runtime_error);
  EXPECT_THROW(throw BrokenBarrierError(), RuntimeError);
  EXPECT_THROW(throw DeadlockError("x"), RuntimeError);
  EXPECT_THROW(throw ValueError("x"), std::logic_error);
  EXPECT_THROW(throw OverflowError("x"), std::runtime_error);
  EXPECT_THROW(throw AttributeError("x"), std::out_of_range);
}

// what() is the message and nothing else; std::system_error would add the text of its code.
TEST(Errors, SayExactlyTheirMessage) {
  EXPECT_STREQ(RuntimeError("release unlocked lock").what(), "release unlocked lock");
  EXPECT_STREQ(DeadlockError("cannot join current thread").what(), "cannot join current thread");
  EXPECT_STREQ(BrokenBarrierError().what(), "");
  EXPECT_STREQ(ValueError("n must be one or more").what(), "n must be one or more");
  EXPECT_STREQ(OverflowError("too large").what(), "too large");
  EXPECT_STREQ(AttributeError("no attribute").what(), "no attribute");
}

// code() lets a program branch without comparing texts.
TEST(Errors, CarryACodeOfTheGenericCategory) {
  EXPECT_EQ(RuntimeError("x").code(), std::errc::operation_not_permitted);
  EXPECT_EQ(DeadlockError("x").code(), std::errc::resource_deadlock_would_occur);
  EXPECT_EQ(BrokenBarrierError().code(), std::errc::operation_canceled);
}

// A copy says the same after the original is gone.
TEST(Errors, KeepTheirMessageInCopies) {
  auto original = std::make_unique<RuntimeError>("a message that is too long for a small string's own buffer");
  const RuntimeError copy(*original);
  original.reset();
  EXPECT_STREQ(copy.what(), "a message that is too long for a small string's own buffer");
}

}  // namespace
