// SPDX-License-Identifier: MIT
//
// What a thread sees of what others wrote.
//
// Sequentially consistent mode: a load returns the latest value. Weak mode: each location keeps its modification
// order as a list of messages; a message carries the view its writer released; a thread carries the oldest message
// of each location that it may still read. Read-modify-write operations and the kernel's comparison in a futex wait
// see the latest message. Modelled: coherence, release/acquire, release sequences through read-modify-writes, the
// single order of seq_cst operations on one location. Not modelled: load buffering, a store placed before an
// earlier one in modification order, fences.
//
// In both modes happens-before follows the orders as written, not the interleaving: a relaxed store publishes
// nothing, and a plain access that nothing orders is a race even where the values look right.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "fiber.hpp"
#include "rmw.hpp"
#include "space.hpp"

namespace lab::detail {

class World;

struct Message {
  std::uint64_t value;
  std::uint64_t hash;
  const std::uint16_t* view;  // null: nothing was released
  std::uint32_t view_size;
  VectorClock clock;
};

struct Location {
  std::uintptr_t address;
  std::uint8_t size;
  std::uint8_t watch;      // index + 1 into the world's watches
  std::uint8_t accessors;  // bit masks of threads
  std::uint8_t writers;
  std::uint16_t next;        // another location in the same half granule
  std::uint64_t write_hash;  // the last write and all its past
  std::uint64_t read_hash;   // the reads since
  VectorClock released;      // sc mode: what acquiring the value brings
  VectorClock touched;       // each thread's own clock at its last access
  Message* messages;         // weak mode
  std::uint32_t message_count;
  std::uint32_t message_capacity;
  std::uint16_t sequential;  // weak mode: the oldest message a seq_cst load may return
  std::uint64_t sequential_hash;
};

class Memory {
 public:
  explicit Memory(World& world);

  void begin_execution(bool weak, std::uint32_t generation) noexcept;

  // Puts the globals that the last execution touched back to what they were before it.
  void undo() noexcept;

  // The operations of an atomic. The caller has passed its schedule point.
  std::uint64_t load(Fiber& self, Location& location, std::memory_order order);
  void store(Fiber& self, Location& location, std::uint64_t value, std::memory_order order);
  std::uint64_t modify(Fiber& self, Location& location, Rmw how, std::uint64_t operand, std::memory_order order);
  // Returns: the value seen; it has been replaced when it was `expected`.
  std::uint64_t compare_exchange(Fiber& self, Location& location, std::uint64_t expected, std::uint64_t desired,
                                 std::memory_order success, std::memory_order failure);
  // What the kernel compares: the latest value; orders nothing.
  std::uint64_t kernel_load(Fiber& self, Location& location);

  // Finds or makes the location. Fails the execution when the memory is gone or its initialisation is unordered.
  Location& locate(Fiber& self, const void* where, unsigned size, bool writes, const Site& site);

  // Only operations on shared locations are schedule points. What is shared is learnt: an exploration that finds a
  // location accessed by two threads, one of them writing, begins anew (see Exploration), so that in the end every
  // location that was passed over had no conflict in any execution, and moving a thread just before such an operation
  // or just after it makes no difference.
  void begin_exploration(bool everything_is_shared) noexcept {
    ++era_;
    all_shared_ = everything_is_shared;
  }
  void share_everything(bool all) noexcept { all_shared_ = all; }
  bool is_shared(const void* where) const noexcept {
    return all_shared_ || Space::cell(reinterpret_cast<std::uintptr_t>(where))->shared_era == era_;
  }
  // Whether the last execution found a new shared location.
  bool learned() const noexcept { return learned_; }

  // Whether an atomic of another size begins here. (shared_ptr reads two counters as one.)
  bool has_other_size(const void* where, unsigned size) noexcept;

  // A plain access, from instrumented code or from lab::var. In race.hpp, with what of the rest is inline.
  template <class Place>
  void plain_read(const Fiber& self, std::uintptr_t address, std::size_t size, const Place& place);
  template <class Place>
  void plain_write(const Fiber& self, std::uintptr_t address, std::size_t size, const Place& place);

  // The memory goes away. Every earlier access must be ordered before.
  void retire(Fiber& self, const void* begin, std::size_t size, const Site& site);

  // Everything released by `from` is seen by `to`: thread start and join.
  void transfer(const Fiber& from, Fiber& to) noexcept;

  // What `to` may still read is at least what `from` may still read.
  void show(const Fiber& from, Fiber& to) const noexcept;
  // The fiber reads nothing older than the latest from here on.
  void catch_up(Fiber& self) const noexcept;

  void watch(const char* name, const void* where, std::uint64_t mask, std::initializer_list<std::uint64_t> legal);
  unsigned location_count() const noexcept { return location_count_; }

  // Values that a watched word took on, over all executions so far.
  struct Watch {
    std::string name;
    std::uintptr_t address;
    std::uint64_t mask;
    std::vector<std::uint64_t> legal;  // empty: any
    std::vector<std::uint64_t> seen;
  };
  std::vector<Watch> watches;

 private:
  Cell& touch(std::uintptr_t address) noexcept;
  void renew(Cell& cell, std::uintptr_t address) noexcept;
  template <class Place>
  void check_alive(const Fiber& self, const Cell& cell, std::uintptr_t address, const Place& place);
  template <class Place>
  void check_written(const Fiber& self, const Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
                     const Place& place);
  template <class Place>
  void read_granule(const Fiber& self, std::uintptr_t address, unsigned mask, const Place& place);
  template <class Place>
  void write_granule(const Fiber& self, std::uintptr_t address, unsigned mask, const char* what, const Place& place);
  template <class Place>
  void read_granules(const Fiber& self, std::uintptr_t address, std::size_t size, const Place& place);
  template <class Place>
  void write_granules(const Fiber& self, std::uintptr_t address, std::size_t size, const Place& place);
  void check_frame(const Fiber& self, std::uintptr_t address, const Site& site);
  void check_read(const Fiber& self, const Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
                  const Site& site);
  [[noreturn]] void fail_freed(const Fiber& self, std::uintptr_t address, const Site& site);
  [[noreturn]] void fail_unordered(const Fiber& self, const Cell& cell, std::uintptr_t address, const char* what,
                                   const Site& site);
  void forget_locations(const Fiber& self, Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
                        const Site& site);
  void note_access(const Fiber& self, Cell& cell, Location& location, bool writes) noexcept;
  Location& make_location(Cell& cell, std::uintptr_t address, unsigned size);
  Message& append(Location& location);
  const Message& choose_message(Fiber& self, Location& location, std::memory_order order);
  void acquire(Fiber& self, const Message& message) noexcept;
  void publish(Fiber& self, Location& location, std::uint64_t value, std::memory_order order, bool continues);
  void written(Fiber& self, Location& location, std::uint64_t before, std::uint64_t after);
  void note_state(Watch& watch, std::uint64_t value);
  void* from_pool(std::size_t size) noexcept;
  std::uint16_t* copy_view(const Fiber& self) noexcept;

  struct Undo {
    std::uint64_t* where;
    std::uint64_t value;
  };

  World& world_;
  std::vector<Undo> undo_;
  bool weak_ = false;
  bool all_shared_ = false;
  bool learned_ = false;
  std::uint16_t era_ = 0;
  std::uint32_t generation_ = 0;
  unsigned location_count_ = 1;
  std::size_t pool_used_ = 0;
  char* pool_;
  Location locations_[kMaxLocations];
};

}  // namespace lab::detail
