// SPDX-License-Identifier: MIT
//
// Leave as soon as woken: the thread that was let in destroys the object at once and poisons its memory, while the
// thread that let it in is still on its way out. Late writes show in the pattern, late reads under a sanitizer; a late
// wake at the address shows as a spurious wake-up in the object that is made there next.
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <new>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

// One place in memory where objects of type T come and go.
template <class T>
class Place {
 public:
  template <class... Args>
  T& make(Args&&... args) {
    for (const std::byte byte : memory_) EXPECT_EQ(byte, kPoison) << "written after destruction";
    return *new (memory_.data()) T(std::forward<Args>(args)...);
  }
  void destroy(T& object) {
    std::destroy_at(&object);
    std::memset(memory_.data(), static_cast<int>(kPoison), memory_.size());
  }

 private:
  static constexpr std::byte kPoison{0xA5};
  alignas(T) std::array<std::byte, sizeof(T)> memory_ = [] {
    std::array<std::byte, sizeof(T)> result{};
    result.fill(kPoison);
    return result;
  }();
};

// Two threads meet again and again: `main_side(i)` on this one, `other_side(i)` on the other, in step.
void meet(const std::function<void(int)>& main_side, const std::function<void(int)>& other_side,
          const std::function<void(int)>& prepare) {
  const Budget budget;
  std::atomic<int> started{0};
  std::atomic<int> finished{0};
  std::atomic<bool> done{false};
  Bunch other;
  other.add([&] {
    for (int i = 1;; ++i) {
      while (started < i && !done) std::this_thread::yield();
      if (done) return;
      other_side(i);
      finished = i;
    }
  });
  int round = 0;
  while (budget.left() && !testing::Test::HasFailure()) {
    prepare(++round);
    started = round;
    main_side(round);
    while (finished < round) std::this_thread::yield();
  }
  done = true;
  other.join();
  record("rounds", round);
}

template <class L>
class DestroyLock : public testing::Test {
 protected:
  Place<L> place_;
};
using LockKinds = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(DestroyLock, LockKinds);

TYPED_TEST(DestroyLock, RightAfterTheReleaseThatLetIn) {
  TypeParam* lock = nullptr;
  std::atomic<int> locked{0};
  meet(
      [&](int i) {
        while (locked < i) std::this_thread::yield();
        lock->acquire();  // until the other releases
        lock->release();
        this->place_.destroy(*lock);
      },
      [&](int i) {
        lock->acquire();
        locked = i;
        if (i % 2 == 0) {
          while (waiters(*lock) == 0) std::this_thread::yield();
        }
        lock->release();
      },
      [&](int) { lock = &this->place_.make(); });
}

template <class S>
class DestroySemaphore : public testing::Test {
 protected:
  Place<S> place_;
};
using SemaphoreKinds = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(DestroySemaphore, SemaphoreKinds);

TYPED_TEST(DestroySemaphore, RightAfterTheReleaseThatLetIn) {
  TypeParam* semaphore = nullptr;
  meet(
      [&](int) {
        semaphore->acquire();
        this->place_.destroy(*semaphore);
      },
      [&](int i) {
        if (i % 2 == 0) {
          while (waiters(*semaphore) == 0) std::this_thread::yield();
        }
        semaphore->release();
      },
      [&](int) {
        semaphore = &this->place_.make(1);
        semaphore->acquire();
      });
}

// Who gives up just as the release adds its unit finds the unit there, while the release is still on its way to the
// queue.
TYPED_TEST(DestroySemaphore, RightAfterATimeoutAndTheUnit) {
  TypeParam* semaphore = nullptr;
  meet(
      [&](int i) {
        while (!semaphore->acquire(std::chrono::nanoseconds(i % 64 * 100))) {
        }
        this->place_.destroy(*semaphore);
      },
      [&](int i) {
        if (i % 2 == 0) std::this_thread::yield();
        semaphore->release();
      },
      [&](int) {
        semaphore = &this->place_.make(1);
        semaphore->acquire();
      });
}

TEST(DestroyEvent, RightAfterTheSetThatLetGo) {
  Place<Event> place;
  Event* event = nullptr;
  meet(
      [&](int) {
        ASSERT_TRUE(event->wait());
        ASSERT_TRUE(event->is_set()) << "let go by a wake that was meant for the event before it";
        place.destroy(*event);
      },
      [&](int i) {
        if (i % 2 == 0) {
          while (waiters(*event) == 0) std::this_thread::yield();
        }
        event->set();
      },
      [&](int) { event = &place.make(); });
}

TEST(DestroyCondition, RightAfterTheWaitThatWasNotified) {
  Place<Condition> place;
  Condition* cv = nullptr;
  bool told = false;
  std::atomic<int> waiting{0};
  meet(
      [&](int i) {
        cv->acquire();
        waiting = i;
        ASSERT_TRUE(cv->wait());
        ASSERT_TRUE(told) << "woken by nobody";
        cv->release();
        place.destroy(*cv);
      },
      [&](int i) {
        while (waiting < i) std::this_thread::yield();
        cv->acquire();
        told = true;
        cv->notify();
        cv->release();
      },
      [&](int) {
        told = false;
        cv = &place.make();
      });
}

class DestroyBarrier : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Action, DestroyBarrier, testing::Bool(),
                         [](const auto& which) { return which.param ? "With" : "Without"; });

TEST_P(DestroyBarrier, ByWhoeverPassesFirst) {
  Place<Barrier> place;
  Barrier* barrier = nullptr;
  std::atomic<int> first{0};
  const auto side = [&](int i) {
    barrier->wait();
    int before = i - 1;
    if (first.compare_exchange_strong(before, i)) place.destroy(*barrier);
  };
  meet(side, side, [&](int) {
    barrier = &place.make(std::size_t{2}, GetParam() ? std::function<void()>([] {}) : std::function<void()>());
  });
}

}  // namespace
