// SPDX-License-Identifier: MIT
#include "support/bunch.hpp"

#include <exception>

#include <gtest/gtest.h>

namespace support {

Bunch::Bunch(int count, Body body) : gate_(std::make_unique<std::latch>(count)) {
  threads_.reserve(static_cast<std::size_t>(count));
  for (int index = 0; index < count; ++index) {
    threads_.emplace_back([this, body, index] {
      gate_->arrive_and_wait();
      run(body, index);
    });
  }
}

void Bunch::add(Body body) {
  threads_.emplace_back([this, body = std::move(body), index = size()] { run(body, index); });
}

void Bunch::run(const Body& body, int index) noexcept {
  ++started_;
  try {
    body(index);
  } catch (const std::exception& error) {
    ADD_FAILURE() << "thread " << index << " of the bunch threw: " << error.what();
  } catch (...) {
    ADD_FAILURE() << "thread " << index << " of the bunch threw something that is no std::exception";
  }
  ++finished_;
}

void Bunch::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace support
