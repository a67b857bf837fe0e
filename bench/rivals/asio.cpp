// SPDX-License-Identifier: MIT
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <thread>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Asio {
  static constexpr const char* kName = "boost.asio";

  // One thread runs the loop. Different timers may be used by different threads at the same time.
  class Timers {
   public:
    explicit Timers(std::size_t) : work_(boost::asio::make_work_guard(context_)), loop_([this] { context_.run(); }) {}
    ~Timers() {
      work_.reset();
      context_.stop();
      loop_.join();
    }
    void start(std::size_t i, std::int64_t delay, std::function<void(std::size_t)> fired) {
      timers_.emplace_back(context_, std::chrono::nanoseconds(delay));
      timers_.back().async_wait([i, fired = std::move(fired)](const boost::system::error_code& error) {
        if (!error) fired(i);
      });
    }
    void cancel(std::size_t i) { timers_[i].cancel(); }

   private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::deque<boost::asio::steady_timer> timers_;
    std::thread loop_;
  };
};

}  // namespace

void add_asio() { add_rival<Asio>(); }

}  // namespace bench
