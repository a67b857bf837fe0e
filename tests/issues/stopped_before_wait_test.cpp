// SPDX-License-Identifier: MIT
//
// Story: a wait on a condition with a token that was stopped already left without having released the lock, and then
// waited for itself to release it.
#include <mutex>
#include <stop_token>

#include <threading/condition.hpp>

#include "support/support.hpp"

namespace {

using namespace threading;

std::stop_token stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

TEST(StoppedBeforeWait, ReturnsFalseOverOwnLock) {
  Condition cv;
  cv.acquire();
  EXPECT_FALSE(cv.wait(forever, stopped()));
  cv.release();
}

TEST(StoppedBeforeWait, ReturnsFalseOverALock) {
  Lock lock;
  Condition cv(lock);
  cv.acquire();
  EXPECT_FALSE(cv.wait(forever, stopped()));
  cv.release();
}

TEST(StoppedBeforeWait, ReturnsFalseOverAForeignLock) {
  std::mutex mutex;
  ConditionOver<std::mutex> cv(mutex);
  cv.acquire();
  EXPECT_FALSE(cv.wait(forever, stopped()));
  cv.release();
}

}  // namespace
