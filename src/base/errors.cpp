// SPDX-License-Identifier: MIT
#include <threading/errors.hpp>

namespace threading::inline v1 {

RuntimeError::RuntimeError(const std::string& message, std::errc code)
    : std::system_error(std::make_error_code(code)), message_(message) {}
RuntimeError::~RuntimeError() = default;
const char* RuntimeError::what() const noexcept { return message_.what(); }

BrokenBarrierError::BrokenBarrierError() : RuntimeError("", std::errc::operation_canceled) {}
BrokenBarrierError::~BrokenBarrierError() = default;

DeadlockError::DeadlockError(const std::string& message)
    : RuntimeError(message, std::errc::resource_deadlock_would_occur) {}
DeadlockError::~DeadlockError() = default;

ValueError::ValueError(const std::string& message) : std::invalid_argument(message) {}
ValueError::~ValueError() = default;

OverflowError::OverflowError(const std::string& message) : std::overflow_error(message) {}
OverflowError::~OverflowError() = default;

AttributeError::AttributeError(const std::string& message) : std::out_of_range(message) {}
AttributeError::~AttributeError() = default;

}  // namespace threading::inline v1
