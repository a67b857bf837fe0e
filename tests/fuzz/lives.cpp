// SPDX-License-Identifier: MIT
//
// Fuzz target: threads, timers and thread-local values, made, started, joined, renamed, cancelled and dropped in any
// order, right and wrong, against a model of what each may answer.
#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <threading/event.hpp>
#include <threading/local.hpp>
#include <threading/thread.hpp>
#include <threading/timer.hpp>

#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace std::chrono_literals;
using namespace threading;

constexpr std::size_t kMostThreads = 6;

// What the threads of one run share with it.
struct World {
  local<int> number;
  local<int> seven{[] { return 7; }};
  local<> bag;
  std::atomic<int> reported{0};  // exceptions that the hook was told of
};

// How a thread behaves once its gate is open.
enum class Ways { returns, throws, waits_for_stop, uses_locals, joins_itself, renames_itself, kCount };

struct Life {
  Event gate;
  std::atomic<bool> ran{false};
  std::atomic<bool> ended{false};
  Ways ways = Ways::returns;
};

void live(World& world, Life& life, const std::stop_token& stop) {
  life.gate.wait();
  life.ran = true;
  switch (life.ways) {
    case Ways::throws: throw std::runtime_error("as it should");
    case Ways::waits_for_stop: {
      Event never;
      check(!never.wait(forever, stop), "an event let go that nobody set");
      break;
    }
    case Ways::uses_locals:
      check(*world.number == 0, "another thread's value");
      *world.number = 42;
      check(*world.seven == 7, "the factory's value");
      check(!world.bag.contains("x"), "another thread's attribute");
      world.bag["x"] = 1;
      break;
    case Ways::joins_itself:
      check_same(outcome_of([] { current_thread().join(); }), "DeadlockError: cannot join current thread", "join");
      break;
    case Ways::renames_itself: current_thread().name("a name that is longer than the system takes"); break;
    default: break;
  }
  life.ended = true;
}

// Thread or Timer, and what is known of it.
struct Subject {
  std::shared_ptr<Life> life = std::make_shared<Life>();
  std::optional<Thread> thread;
  std::optional<Timer> timer;
  std::string name;
  bool daemon = false;
  bool started = false;
  bool gate_open = false;
  bool stop_requested = false;
  bool cancelled = false;          // before it fired, for certain
  bool perhaps_cancelled = false;  // or else it had fired by then
  bool pending_surely = false;     // a timer that cannot have fired yet
  bool joined = false;

  Thread& get() { return thread ? *thread : *timer; }
  // It will end without anybody's help.
  bool will_end() const {
    if (timer && pending_surely && !cancelled) return false;
    if (timer && cancelled) return true;
    return gate_open && (life->ways != Ways::waits_for_stop || stop_requested);
  }
  bool may_have_ended() const { return will_end() || perhaps_cancelled; }
};

class Story {
 public:
  explicit Story(Input& input) : input_(input) {
    before_ = set_excepthook([this](const ExceptHookArgs& args) {
      check(args.exception != nullptr, "an exception is reported without one");
      ++world_.reported;
    });
  }
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;
  ~Story() { set_excepthook(before_); }

  void tell() {
    while (input_.more()) {
      if (subjects_.size() < kMostThreads && (subjects_.empty() || input_.below(4) == 0)) make();
      Subject& subject = subjects_[input_.below(static_cast<unsigned>(subjects_.size()))];
      step(subject);
      if (input_.below(8) == 0) check_all();
    }
    end();
  }

 private:
  void make() {
    Subject& subject = subjects_.emplace_back();
    subject.life->ways = static_cast<Ways>(input_.below(static_cast<unsigned>(Ways::kCount)));
    Thread::Options options;
    if (input_.flag()) options.name = subject.name = "subject";
    if (input_.flag()) options.daemon = subject.daemon = input_.flag();
    options.stack_size = input_.flag() ? 0 : 65536;
    const auto body = [&world = world_, life = subject.life](const std::stop_token& stop) { live(world, *life, stop); };
    if (input_.below(3) != 0) {
      subject.thread.emplace(options, body);
    } else {
      const Bound bound = any_bound(input_);
      // -1.0 and other negative numbers have passed: a Timer is no lock.
      subject.pending_surely = bound.long_for_others();
      subject.timer.emplace(options, bound.timeout, body);
    }
    if (subject.name.empty()) {
      subject.name = subject.get().name();
      check(!subject.name.empty(), "a thread without a name");
    }
  }

  void step(Subject& subject) {
    Thread& thread = subject.get();
    switch (input_.below(13)) {
      case 0:
        check_same(outcome_of([&] { thread.start(); }),
                   subject.started ? "RuntimeError: threads can only be started once" : "none", "start");
        subject.started = true;
        break;
      case 1:
        subject.gate_open = true;
        subject.life->gate.set();
        break;
      case 2: join(subject); break;
      case 3:
        if (subject.started && !subject.will_end()) return;
        check_same(outcome_of([&] { thread.join(); }), unstarted(subject, "none"), "join");
        if (subject.started) over(subject);
        break;
      case 4:
        subject.stop_requested = true;
        thread.stop_source().request_stop();
        break;
      case 5: set_daemon(subject); break;
      case 6:
        subject.name = input_.flag() ? "" : "renamed";
        if (subject.life->ways != Ways::renames_itself) {
          thread.name(subject.name);
          check(thread.name() == subject.name, "a thread has another name than it was given");
        }
        break;
      case 7: cancel(subject); break;
      case 8: look(subject); break;
      case 9: use_locals(); break;
      case 10: copy(subject); break;
      case 11: set_stack_size(); break;
      default:
        if (input_.flag()) std::this_thread::yield();
    }
  }

  static std::string unstarted(const Subject& subject, const std::string& otherwise) {
    return subject.started ? otherwise : "RuntimeError: cannot join thread before it is started";
  }

  void join(Subject& subject) {
    const Bound bound = any_bound(input_);
    const bool with_stop = input_.flag();
    // Whether it has ended by now is anybody's guess, so a long wait is for those that will end.
    if (!with_stop && subject.started && !subject.will_end() && bound.long_for_others()) return;
    const std::string got = outcome_of(
        [&] { return with_stop ? subject.get().join(bound.timeout, stopped()) : subject.get().join(bound.timeout); });
    if (!subject.started) return check_same(got, unstarted(subject, ""), "join");
    check(got == "true" || got == "false", "join returns whether it has ended");
    if (got == "false") {
      check(with_stop || std::chrono::steady_clock::now() >= bound.not_before, "a join ended before its time");
      check(!subject.joined, "a thread that was joined is alive again");
    } else {
      check(subject.may_have_ended(), "a thread has ended that had to wait");
      over(subject);
    }
  }

  // It has been joined.
  void over(Subject& subject) {
    subject.joined = true;
    const bool ran = subject.life->ran;
    check(!subject.get().is_alive(), "a thread that was joined is alive");
    check(!(subject.cancelled && ran), "a timer that was cancelled has run");
    check(subject.timer || ran, "a thread was joined that has not run");
    check(!ran || subject.life->ended || subject.life->ways == Ways::throws, "a thread was joined that has not ended");
    const bool threw = ran && subject.life->ways == Ways::throws;
    check((subject.get().exception() != nullptr) == threw, "exception() after the end");
  }

  void set_daemon(Subject& subject) {
    const bool daemon = input_.flag();
    check_same(outcome_of([&] { subject.get().daemon(daemon); }),
               subject.started ? "RuntimeError: cannot set daemon status of active thread" : "none", "daemon");
    if (!subject.started) subject.daemon = daemon;
  }

  void cancel(Subject& subject) {
    if (!subject.timer) return;
    subject.timer->cancel();
    // A timer that may have fired is none the wiser.
    (!subject.started || subject.pending_surely ? subject.cancelled : subject.perhaps_cancelled) = true;
  }

  void look(Subject& subject) {
    Thread& thread = subject.get();
    check(thread.daemon() == subject.daemon, "daemon");
    check(thread.ident().has_value() == subject.started, "ident");
    if (!subject.started) {
      check(!thread.is_alive() && !thread.native_id() && thread.exception() == nullptr, "a thread before its start");
    } else if (!subject.may_have_ended()) {
      check(thread.is_alive(), "a thread that has to wait is not alive");
      check(thread.exception() == nullptr, "a living thread has left an exception");
      if (subject.timer && subject.pending_surely) check(!thread.native_id(), "a pending timer has an OS thread");
      if (subject.thread) check(thread.native_id().has_value(), "a thread without an OS thread");
    }
  }

  void use_locals() {
    switch (input_.below(6)) {
      case 0: *world_.number = number_ = input_.byte(); break;
      case 1: world_.bag["x"] = has_x_ = 1; break;
      case 2:
        check_same(outcome_of([&] { world_.bag.erase("x"); }), has_x_ != 0 ? "none" : kNoX, "erase");
        has_x_ = 0;
        break;
      case 3: check_same(outcome_of([&] { return world_.bag.get<int>("x"); }), has_x_ != 0 ? "1" : kNoX, "get"); break;
      case 4: {
        // One that comes and goes, and whose place is used again.
        local<std::string> text([] { return std::string("made"); });
        check(*text == "made", "a new local has the value of an old one");
        *text = "a text that is too long to be kept inside the string itself";
        break;
      }
      default: check(*world_.seven == 7, "the factory's value");
    }
    check(*world_.number == number_, "a value was changed by somebody else");
    check(world_.bag.contains("x") == (has_x_ != 0), "contains");
  }

  void copy(Subject& subject) {
    const Thread copied = subject.get();
    check(copied == subject.get() && std::hash<Thread>()(copied) == std::hash<Thread>()(subject.get()), "a copy");
    Thread moved_from = copied;
    const Thread moved_to = std::move(moved_from);
    check(moved_to == copied && !(moved_to == current_thread()), "a moved handle");
    if (subject.started && !subject.may_have_ended()) {
      const std::vector<Thread> all = enumerate();
      check(std::count(all.begin(), all.end(), copied) == 1, "a living thread is not enumerated once");
    }
  }

  void set_stack_size() {
    const std::size_t before = stack_size();
    const std::size_t small = 1 + input_.short_word() % 32767;
    check_same(outcome_of([&] { return stack_size(small); }),
               "ValueError: size not valid: " + std::to_string(small) + " bytes", "a small stack");
    check_same(outcome_of([&] { return stack_size(static_cast<std::size_t>(-1 - input_.byte())); }),
               "ValueError: size must be 0 or a positive value", "a negative stack");
    check(stack_size() == before, "a size that was refused was kept");
  }

  void check_all() {
    const auto surely =
        static_cast<std::size_t>(std::count_if(subjects_.begin(), subjects_.end(), [](Subject& subject) {
          return subject.started && !subject.may_have_ended();
        }));
    const auto perhaps = static_cast<std::size_t>(std::count_if(
        subjects_.begin(), subjects_.end(), [](Subject& subject) { return subject.started && !subject.joined; }));
    const std::size_t active = active_count();
    check(active >= surely + 1 && active <= perhaps + 1, "active_count");
  }

  // All that was started comes to its end.
  void end() {
    int thrown = 0;
    for (Subject& subject : subjects_) {
      if (!subject.started) continue;
      subject.gate_open = subject.stop_requested = true;
      subject.life->gate.set();
      subject.get().stop_source().request_stop();
      cancel(subject);
      subject.get().join();
      over(subject);
      thrown += subject.get().exception() != nullptr ? 1 : 0;
    }
    check(world_.reported == thrown, "not every exception was reported once");
    check(active_count() == 1, "somebody is left");
  }

  static constexpr const char* kNoX = "AttributeError: '_thread._local' object has no attribute 'x'";

  Input& input_;
  World world_;
  std::vector<Subject> subjects_;
  int number_ = 0;
  int has_x_ = 0;
  ExceptHook before_;
};

}  // namespace

void run(Input& input) {
  // What the calling thread keeps of a local ends with the local.
  Story(input).tell();
}

}  // namespace fuzz
