// SPDX-License-Identifier: MIT
//
// What a process says of the thread that misused a lock where nothing can be thrown.
#include <gtest/gtest.h>

#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/thread.hpp>

#include "support/support.hpp"

namespace {

using namespace support;

TEST(MisuseDeath, NamesTheThreadThatUnlocksAFreeLock) {
  expect_child(killed_by(SIGABRT), "release unlocked lock: Lock at 0x[0-9a-f]+, in the thread 'culprit'\n", [] {
    threading::current_thread().name("culprit");
    threading::Lock lock;
    lock.unlock();
  });
}

TEST(MisuseDeath, NamesTheThreadThatUnlocksAFreeRLock) {
  expect_child(killed_by(SIGABRT),
               "cannot release un-acquired lock: RLock at 0x[0-9a-f]+, in the thread 'MainThread'\n", [] {
                 threading::RLock lock;
                 lock.unlock();
               });
}

}  // namespace
