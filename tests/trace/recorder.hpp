// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <threading/trace.hpp>

// Collects the events of one thread, and keeps them apart from what is collected later.
class Recorder {
 public:
  threading::TraceFunction function() {
    return [this](const threading::TraceEvent& event) { events_.push_back(event); };
  }
  const std::vector<threading::TraceEvent>& events() const { return events_; }
  void forget() { events_.clear(); }

  // One line of text per event: "call f(int)".
  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const auto& event : events_) {
      result.push_back(std::string(to_string(event.kind)) + " " + std::string(event.name()));
    }
    return result;
  }
  std::ptrdiff_t count(threading::TraceEvent::Kind kind) const {
    return std::ranges::count_if(events_, [&](const auto& event) { return event.kind == kind; });
  }

 private:
  std::vector<threading::TraceEvent> events_;
};

// Takes the calling thread's functions away again, also when an assertion has left the test.
struct NoFunctionsAfterwards {
  ~NoFunctionsAfterwards() {
    threading::settrace_all_threads({});
    threading::setprofile_all_threads({});
  }
};
