// SPDX-License-Identifier: MIT
//
// What every fuzz target is made of. A target is a source that defines run(); the fuzzer calls it with bytes that it
// makes up, replay.cpp with those that are kept in corpus/.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <type_traits>

#include <threading/errors.hpp>
#include <threading/timeout.hpp>

namespace fuzz {

// The bytes of one run, taken from the front. Where there are none left, they are zero.
class Input {
 public:
  Input(const std::uint8_t* bytes, std::size_t size) : at_(bytes), end_(bytes + size) {}

  bool more() const noexcept { return at_ != end_; }
  std::uint8_t byte() noexcept { return more() ? *at_++ : std::uint8_t{0}; }
  // 0 … limit - 1, for a limit up to 256.
  unsigned below(unsigned limit) noexcept { return byte() % limit; }
  bool flag() noexcept { return (byte() & 1) != 0; }
  std::uint64_t word() noexcept {
    std::uint64_t result = 0;
    for (int i = 0; i < 8; ++i) result = (result << 8) | byte();
    return result;
  }
  std::uint32_t short_word() noexcept {
    const std::uint32_t high = byte();
    return high << 8 | byte();
  }
  // The next `size` bytes, or what is there, as an input of their own.
  Input part(std::size_t size) noexcept {
    const auto left = static_cast<std::size_t>(end_ - at_);
    const Input result(at_, size < left ? size : left);
    at_ = result.end_;
    return result;
  }
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

// Defined by the target.
void run(Input& input);

// Ends the process with a message unless it holds.
void check(bool holds, const char* what, const char* file = __builtin_FILE(), int line = __builtin_LINE());
// The same for two texts, which it prints.
void check_same(const std::string& got, const std::string& expected, const char* what,
                const char* file = __builtin_FILE(), int line = __builtin_LINE());

// What a call did, as text: "true", "7", "none" for void, or the exception's type and message.
template <class Call>
std::string outcome_of(Call call) {
  using Result = std::invoke_result_t<Call>;
  try {
    if constexpr (std::is_void_v<Result>) {
      call();
      return "none";
    } else if constexpr (std::is_same_v<Result, bool>) {
      return call() ? "true" : "false";
    } else {
      return std::to_string(call());
    }
  } catch (const threading::BrokenBarrierError& error) {
    return std::string("BrokenBarrierError: ") + error.what();
  } catch (const threading::DeadlockError& error) {
    return std::string("DeadlockError: ") + error.what();
  } catch (const threading::RuntimeError& error) {
    return std::string("RuntimeError: ") + error.what();
  } catch (const threading::ValueError& error) {
    return std::string("ValueError: ") + error.what();
  } catch (const threading::OverflowError& error) {
    return std::string("OverflowError: ") + error.what();
  } catch (const threading::AttributeError& error) {
    return std::string("AttributeError: ") + error.what();
  } catch (const std::exception& error) {
    return std::string("exception: ") + error.what();
  }
}

// A timeout and what is to be expected of it.
struct Bound {
  threading::Timeout timeout = threading::no_wait;
  bool forever = false;          // timeout.is_forever()
  bool minus_one = false;        // the number -1.0: for ever to a lock, passed to everything else
  bool negative_number = false;  // another negative number: an error to a lock, passed to everything else
  bool is_long = false;          // longer than a test should take
  std::chrono::steady_clock::time_point not_before{};  // a wait that times out does not end earlier

  bool long_for_lock() const noexcept { return forever || minus_one || is_long; }
  bool long_for_others() const noexcept { return forever || is_long; }
};

// Any timeout there is; those that cannot be made are seen to be refused, and another comes instead.
Bound any_bound(Input& input);
// One that has passed within a fraction of a millisecond, and that everything accepts.
Bound short_bound(Input& input);

// A token that was stopped before.
const std::stop_token& stopped();

}  // namespace fuzz
