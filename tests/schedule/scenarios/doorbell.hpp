// SPDX-License-Identifier: MIT
//
// One thread or two ring a bell for another: "store work, ring" against "wait, clear the bell, look for work".
#pragma once

#include "support.hpp"

#include <threading/event.hpp>

namespace scenarios {

inline void ring_for_one(threading::Event& bell) {
  Atomic<std::uint32_t> work{0};
  lab::together({{"producer",
                  [&] {
                    work.store(1, std::memory_order_relaxed);
                    bell.set();
                  }},
                 {"consumer", [&] {
                    while (work.load(std::memory_order_relaxed) == 0) {
                      bell.wait();
                      bell.clear();
                    }
                  }}});
}

inline void ring_for_two(threading::Event& bell) {
  Atomic<std::uint32_t> work{0};
  const auto ring = [&] {
    work.fetch_add(1, std::memory_order_relaxed);
    bell.set();
  };
  std::uint32_t seen = 0;
  lab::together({{"p", ring}, {"q", ring}, {"consumer", [&] {
                                              while (seen != 2) {
                                                bell.wait();
                                                bell.clear();
                                                seen = work.load(std::memory_order_relaxed);
                                              }
                                            }}});
}

}  // namespace scenarios
