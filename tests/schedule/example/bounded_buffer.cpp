// SPDX-License-Identifier: MIT
//
// A user's class under the lab. The first version has a mistake that many programs have had: producers and consumers
// wait on one condition, and notify() may wake one of the wrong kind, which goes back to sleep and tells nobody.
#include <schedule/schedule.hpp>
#include <threading/condition.hpp>
#include <threading/with.hpp>

#include <atomic>
#include <optional>

namespace {

class BoundedBuffer {
 public:
  explicit BoundedBuffer(bool wakes_all) : wakes_all_(wakes_all) {}

  void put(int value) {
    threading::With hold(condition_);
    condition_.wait_for([&] { return !slot_; });
    slot_ = value;
    tell();
  }
  int get() {
    threading::With hold(condition_);
    condition_.wait_for([&] { return slot_.has_value(); });
    const int value = *slot_;
    slot_.reset();
    tell();
    return value;
  }

 private:
  void tell() { wakes_all_ ? condition_.notify_all() : condition_.notify(); }

  threading::Condition condition_;
  std::optional<int> slot_;
  const bool wakes_all_;
};

void two_of_each(bool wakes_all) {
  auto* buffer = lab::make<BoundedBuffer>("buffer", wakes_all);
  std::atomic<int> sum{0};
  lab::together({{"producer 1", [&] { buffer->put(1); }},
                 {"producer 2", [&] { buffer->put(2); }},
                 {"consumer 1", [&] { sum += buffer->get(); }},
                 {"consumer 2", [&] { sum += buffer->get(); }}});
  lab::check(sum == 3, "every item arrives once");
  lab::destroy(buffer);
}

// `expect` turns the scenario around: it passes if the lab finds the mistake.
LAB_SCENARIO(buffer_with_notify, "notify() wakes one of the wrong kind",
             {.bound = 2, .std_atomics = true, .expect = "deadlock"}) {
  two_of_each(false);
}

LAB_SCENARIO(buffer_with_notify_all, "notify_all() is safe",
             {.bound = 1, .weak_bound = 0, .std_atomics = true, .pct_runs = 2000}) {
  two_of_each(true);
}

}  // namespace
