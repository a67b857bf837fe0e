// SPDX-License-Identifier: MIT
// expect: no matching (constructor|function)
// Condition is over Lock and RLock; ConditionOver over any other.
#include <mutex>

#include <threading/condition.hpp>

std::mutex mutex;

#if defined(BAD)
threading::Condition condition(mutex);
#else
threading::ConditionOver condition(mutex);
#endif
