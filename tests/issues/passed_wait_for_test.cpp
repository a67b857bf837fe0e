// SPDX-License-Identifier: MIT
//
// Story: wait_for() with a timeout that had passed returned after one look at the predicate, without letting go of the
// lock; a polling loop kept everybody else out for ever, and a missing lock went unnoticed.
#include <threading/condition.hpp>

#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;

TEST(PassedWaitFor, LetsOthersIn) {
  Condition cv;
  bool ready = false;
  Bunch other;
  cv.acquire();
  other.add([&] {
    cv.acquire();
    ready = true;
    cv.release();
  });
  EXPECT_TRUE(eventually([&] { return cv.wait_for([&] { return ready; }, no_wait); }));
  cv.release();
}

TEST(PassedWaitFor, NoticesThatTheLockIsNotHeld) {
  Condition cv;
  expect_error<RuntimeError>("cannot wait on un-acquired lock", [&] { cv.wait_for([] { return false; }, no_wait); });
}

}  // namespace
