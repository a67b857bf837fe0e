// SPDX-License-Identifier: MIT
//
// Queue surgery, white box: every operation against a model, with the links checked from both ends after each.
#include "parking/bucket.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "support/delays.hpp"

namespace {

using support::rounds;
using threading::LeaveReason;
using threading::WaitKind;
using threading::parking::Bucket;
using threading::parking::Waiter;

constexpr WaitKind kKind{"Test"};
constexpr auto kDoNothing = [](bool, LeaveReason) noexcept {};

std::unique_ptr<Waiter> make_waiter() { return std::make_unique<Waiter>(nullptr, kKind, kDoNothing); }

// Keys are addresses that nobody reads.
const void* key_number(std::size_t number) {
  static std::array<char, 16> keys;
  return &keys.at(number);
}

// All that bucket.hpp draws, checked link by link. Returns: the queue at `key`, first to last.
std::vector<Waiter*> checked_queue(const Bucket& bucket, const void* key) {
  std::vector<Waiter*> queue;
  const Waiter* previous = nullptr;
  Waiter* const first = bucket.find(key);
  for (Waiter* waiter = first; waiter != nullptr; waiter = waiter->next) {
    EXPECT_EQ(waiter->previous, previous);
    EXPECT_EQ(waiter->key.load(), key);
    EXPECT_TRUE(waiter->queued);
    previous = waiter;
    queue.push_back(waiter);
  }
  if (first != nullptr) {
    EXPECT_EQ(first->last, queue.back());
    EXPECT_EQ(first->size, queue.size());
  }
  return queue;
}

// The chain of queues: each key once, doubly linked.
std::size_t checked_queue_count(const Bucket& bucket) {
  std::vector<const void*> keys;
  const Waiter* previous = nullptr;
  for (const Waiter* first = bucket.first_queue; first != nullptr; first = first->next_queue) {
    EXPECT_EQ(first->previous_queue, previous);
    EXPECT_EQ(std::count(keys.begin(), keys.end(), first->key.load()), 0) << "one key has two queues";
    keys.push_back(first->key.load());
    previous = first;
  }
  return keys.size();
}

class BucketTest : public testing::Test {
 protected:
  Waiter& fresh() { return *all_.emplace_back(make_waiter()); }
  std::vector<Waiter*> queue(const void* key) const { return checked_queue(bucket_, key); }

  Bucket bucket_;
  std::vector<std::unique_ptr<Waiter>> all_;
  const void* const a_ = key_number(0);
  const void* const b_ = key_number(1);
  const void* const c_ = key_number(2);
};

using Queue = std::vector<Waiter*>;

TEST_F(BucketTest, FindsNothingWhenEmpty) {
  EXPECT_EQ(bucket_.find(a_), nullptr);
  EXPECT_EQ(checked_queue_count(bucket_), 0u);
}

TEST_F(BucketTest, KeepsTheOrderOfArrival) {
  Waiter &one = fresh(), &two = fresh(), &three = fresh();
  for (Waiter* waiter : {&one, &two, &three}) bucket_.push_back(*waiter, a_);
  EXPECT_EQ(queue(a_), (Queue{&one, &two, &three}));
  EXPECT_EQ(checked_queue_count(bucket_), 1u);
}

TEST_F(BucketTest, PutsInFrontOnRequest) {
  Waiter &one = fresh(), &two = fresh(), &three = fresh();
  bucket_.push_front(one, a_);  // into an empty queue
  bucket_.push_back(two, a_);
  bucket_.push_front(three, a_);
  EXPECT_EQ(queue(a_), (Queue{&three, &one, &two}));
  EXPECT_EQ(checked_queue_count(bucket_), 1u);
}

// Addresses that share a bucket do not share a queue.
TEST_F(BucketTest, KeepsOneQueuePerKey) {
  Waiter &a1 = fresh(), &b1 = fresh(), &a2 = fresh(), &b2 = fresh();
  bucket_.push_back(a1, a_);
  bucket_.push_back(b1, b_);
  bucket_.push_back(a2, a_);
  bucket_.push_front(b2, b_);
  EXPECT_EQ(queue(a_), (Queue{&a1, &a2}));
  EXPECT_EQ(queue(b_), (Queue{&b2, &b1}));
  EXPECT_EQ(bucket_.find(c_), nullptr);
  EXPECT_EQ(checked_queue_count(bucket_), 2u);
}

TEST_F(BucketTest, RemovesFromEveryPosition) {
  for (const int position : {0, 1, 2}) {
    Waiter &one = fresh(), &two = fresh(), &three = fresh(), &other = fresh();
    bucket_.push_back(one, a_);
    bucket_.push_back(other, b_);
    bucket_.push_back(two, a_);
    bucket_.push_back(three, a_);
    Queue expected{&one, &two, &three};
    Waiter& removed = *expected[static_cast<std::size_t>(position)];
    expected.erase(expected.begin() + position);
    bucket_.remove(removed);
    EXPECT_FALSE(removed.queued);
    EXPECT_EQ(queue(a_), expected);
    EXPECT_EQ(queue(b_), Queue{&other});
    for (Waiter* waiter : expected) bucket_.remove(*waiter);
    bucket_.remove(other);
    EXPECT_EQ(checked_queue_count(bucket_), 0u);
  }
}

// The heads of queues are linked to each other; taking one out must join its neighbours.
TEST_F(BucketTest, UnlinksAQueueFromEveryPositionInTheChain) {
  for (const std::size_t gone : {0u, 1u, 2u}) {
    std::array<Waiter*, 3> heads{};
    for (std::size_t i = 0; i < 3; ++i) bucket_.push_back(*(heads[i] = &fresh()), key_number(i));
    bucket_.remove(*heads[gone]);
    EXPECT_EQ(checked_queue_count(bucket_), 2u);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == gone) continue;
      EXPECT_EQ(queue(key_number(i)), Queue{heads[i]});
      bucket_.remove(*heads[i]);
    }
  }
}

TEST_F(BucketTest, RemovesAPrefixAndLeavesItLinked) {
  Waiter &one = fresh(), &two = fresh(), &three = fresh(), &other = fresh();
  for (Waiter* waiter : {&one, &two, &three}) bucket_.push_back(*waiter, a_);
  bucket_.push_back(other, b_);
  bucket_.remove_front(one, 2);
  EXPECT_EQ(one.next, &two);
  EXPECT_EQ(two.next, nullptr);
  EXPECT_FALSE(one.queued || two.queued);
  EXPECT_EQ(queue(a_), Queue{&three});
  EXPECT_EQ(queue(b_), Queue{&other});
}

TEST_F(BucketTest, RemovesAWholeQueueAsAPrefix) {
  Waiter &one = fresh(), &two = fresh();
  bucket_.push_back(one, a_);
  bucket_.push_back(two, a_);
  bucket_.remove_front(one, 2);
  EXPECT_EQ(one.next, &two);
  EXPECT_EQ(two.next, nullptr);
  EXPECT_EQ(bucket_.find(a_), nullptr);
  EXPECT_EQ(checked_queue_count(bucket_), 0u);
}

TEST_F(BucketTest, TakesAWaiterBackAfterItLeft) {
  Waiter &one = fresh(), &two = fresh();
  bucket_.push_back(one, a_);
  bucket_.push_back(two, a_);
  bucket_.remove(one);
  bucket_.push_back(one, b_);
  bucket_.remove(one);
  bucket_.push_front(one, a_);
  EXPECT_EQ(queue(a_), (Queue{&one, &two}));
}

// Thousands of random operations on a few keys behave like a deque per key.
TEST_F(BucketTest, BehavesLikeADequePerKey) {
  constexpr std::size_t kKeys = 5;
  std::mt19937 random(20241);  // the same sequence in each run
  std::map<const void*, std::deque<Waiter*>> model;
  std::vector<Waiter*> idle;
  for (int i = 0; i < 24; ++i) idle.push_back(&fresh());
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };

  for (int step = 0; step < rounds(20'000); ++step) {
    const void* const key = key_number(below(kKeys));
    std::deque<Waiter*>& expected = model[key];
    const std::size_t action = below(4);
    if (action <= 1 && !idle.empty()) {
      Waiter* const waiter = idle.back();
      idle.pop_back();
      if (action == 0) {
        bucket_.push_back(*waiter, key);
        expected.push_back(waiter);
      } else {
        bucket_.push_front(*waiter, key);
        expected.push_front(waiter);
      }
    } else if (action == 2 && !expected.empty()) {
      const auto at = expected.begin() + static_cast<std::ptrdiff_t>(below(expected.size()));
      bucket_.remove(**at);
      idle.push_back(*at);
      expected.erase(at);
    } else if (action == 3 && !expected.empty()) {
      const std::size_t count = 1 + below(expected.size());
      Waiter* taken = expected.front();
      bucket_.remove_front(*taken, count);
      for (std::size_t i = 0; i < count; ++i, taken = taken->next) {
        ASSERT_EQ(taken, expected.front());
        idle.push_back(taken);
        expected.pop_front();
      }
      ASSERT_EQ(taken, nullptr);
    }
    std::size_t queues = 0;
    for (const auto& [at, waiters] : model) {
      ASSERT_EQ(queue(at), Queue(waiters.begin(), waiters.end())) << "step " << step;
      queues += waiters.empty() ? 0 : 1;
    }
    ASSERT_EQ(checked_queue_count(bucket_), queues);
    ASSERT_FALSE(HasFailure()) << "step " << step;
  }
}

}  // namespace
