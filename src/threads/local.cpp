// SPDX-License-Identifier: MIT
//
// Values that belong both to a thread and to a local.
//
// Word     none. A local has an id, which is never used again, and an index, which is. A thread has a table of slots;
//          the slot at a local's index says by the id whose value it is. Each value is a cell in the local's list.
//
//   thread A  table ─► [ id 7 │ value │ cell ]──┐        local 7  first ─► cell of A ⇄ cell of B
//   thread B  table ─► [ id 7 │ value │ cell ]──┼──────────────────────────────┘
//
// States   of a slot: empty (id 0) → full (id, value, cell) → spent (the cell is null, the id left behind), → full
//          again for the next local with this index.
// Moves    fill: the thread itself, under the lock. spend: the ending thread or the ending local, under the lock,
//          whoever comes first; that one then destroys the value, without the lock. grow: the thread itself, under the
//          lock, since an ending local finds the slot by the cell's table.
// I1       A thread reads id and value of its own slots without the lock: nobody else writes them. A spent slot keeps
//          its id, which no living local has, so its value is never read.
// I2       Constructors and destructors of values run without the lock: they may use everything, this local included.
// I3       A cell is in its local's list exactly if its slot's cell is not null.
// Orders   The lock orders everything but I1, which is one thread's own.
// Destroy  A thread's table goes with the thread, when it is empty; that of the main thread stays. A local's destructor
//          does not wait for a value that its ending thread is just destroying: the two may wait for each other.
// Fork     The values of threads that do not exist in the child stay with their locals.
#include <threading/local.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include <threading/detail/thread_token.hpp>
#include <threading/embedding.hpp>
#include <threading/with.hpp>

#include "platform/thread_exit.hpp"
#include "threads/fork_locks.hpp"
#include "threads/internal_lock.hpp"
#include "threads/life.hpp"

namespace threading::inline v1::detail {
namespace {

// Guards the lists of all locals, `cell` of all slots, and the indices. Outer to the lot's locks, inner to all others.
constinit threads::InternalLock lock;
constinit std::uint64_t last_id = 0;
constinit std::size_t indices_made = 0;
// Indices of locals that have ended. Never destroyed: locals may end after static objects of ours would.
constinit std::vector<std::size_t>* free_indices = nullptr;

constexpr std::size_t kFirstSize = 8;
// A destructor may make a new value, whose destructor may make another …: this many times in a row.
constexpr int kPasses = 8;

}  // namespace

// The steps that need both sides' insides. All require the lock, but those that say otherwise.
class LocalTables {
 public:
  // Makes room for `index`. Throws: std::bad_alloc.
  static LocalSlots& grow(PerThread& self, std::size_t index) {
    LocalSlots* const old = self.locals;
    const std::size_t old_size = old == nullptr ? 0 : old->size;
    if (index < old_size) return *old;
    const std::size_t size = std::max({kFirstSize, 2 * old_size, index + 1});
    auto* const table = ::new (::operator new(sizeof(LocalSlots) + size * sizeof(LocalSlot))) LocalSlots{size};
    for (std::size_t i = 0; i != size; ++i) {
      LocalSlot& slot = *::new (&table->begin()[i]) LocalSlot(i < old_size ? old->begin()[i] : LocalSlot());
      if (slot.cell != nullptr) slot.cell->table_ = table;
    }
    self.locals = table;
    ::operator delete(old);
    return *table;
  }

  static void link(LocalCore& local, LocalSlots& table, LocalCell& cell, void* value) noexcept {
    table.begin()[local.index_] = {local.id_, value, &cell};
    cell.table_ = &table;
    cell.previous_ = nullptr;
    cell.next_ = local.first_;
    if (local.first_ != nullptr) local.first_->previous_ = &cell;
    local.first_ = &cell;
    cell.local_ = &local;
  }

  static LocalCell* take(LocalSlot& slot) noexcept {
    LocalCell* const cell = std::exchange(slot.cell, nullptr);
    if (cell == nullptr) return nullptr;
    if (cell->next_ != nullptr) cell->next_->previous_ = cell->previous_;
    (cell->previous_ != nullptr ? cell->previous_->next_ : cell->local_->first_) = cell->next_;
    return cell;
  }

  static LocalCell* take_first(LocalCore& local) noexcept {
    if (local.first_ == nullptr) return nullptr;
    return take(local.first_->table_->begin()[local.index_]);
  }

  // One value of the ending thread, the one with the highest index: locals made last lose theirs first.
  static LocalCell* take_last(LocalSlots& table, std::size_t& end) noexcept {
    while (end != 0) {
      LocalSlot& slot = table.begin()[--end];
      LocalCell* const cell = take(slot);
      if (cell == nullptr) continue;
      slot.local = 0;  // asked again while the value is being destroyed, the local makes a new one
      return cell;
    }
    return nullptr;
  }
};

namespace {

// Without the lock: destroys what the ending thread has. Returns: whether there was anything.
bool destroy_values(PerThread& self) noexcept {
  bool found = false;
  for (std::size_t end = self.locals == nullptr ? 0 : self.locals->size; end != 0;) {
    LocalCell* cell = nullptr;
    {
      const With hold(lock);
      cell = LocalTables::take_last(*self.locals, end);  // the table may have grown meanwhile
    }
    if (cell == nullptr) break;
    found = true;
    delete cell;
  }
  return found;
}

void thread_ends(PerThread& self) noexcept {
  if (self.locals == nullptr) return;
  for (int pass = 0; pass != kPasses; ++pass) {
    if (!destroy_values(self)) {
      ::operator delete(std::exchange(self.locals, nullptr));
      return;
    }
  }
}

[[maybe_unused]] const bool ends_are_handled = [] {
  platform::on_thread_exit(platform::ExitStage::values, &thread_ends);
  return true;
}();

}  // namespace

LocalCore::LocalCore() {
  const With hold(lock);
  if (free_indices == nullptr) free_indices = new std::vector<std::size_t>;
  if (free_indices->empty()) {
    free_indices->reserve(indices_made + 1);  // now, so that giving back never fails
    index_ = indices_made++;
  } else {
    index_ = free_indices->back();
    free_indices->pop_back();
  }
  id_ = ++last_id;
}

LocalCore::~LocalCore() {
  for (;;) {
    LocalCell* cell = nullptr;
    {
      const With hold(lock);
      cell = LocalTables::take_first(*this);
      if (cell == nullptr) {
        free_indices->push_back(index_);
        return;
      }
    }
    delete cell;
  }
}

void* LocalCore::adopt(LocalCell* cell, void* value) {
  PerThread& self = backend::per_thread();
  thread_token();  // its first use sees to it that the end of this thread is noticed
  void* found = nullptr;
  try {
    const With hold(lock);
    found = find();  // the value's constructor may have asked for it
    if (found == nullptr) {
      LocalTables::link(*this, LocalTables::grow(self, index_), *cell, value);
      return value;
    }
  } catch (...) {
    delete cell;
    throw;
  }
  delete cell;
  return found;
}

}  // namespace threading::inline v1::detail

namespace threading::inline v1 {

namespace threads {
void end_locals(detail::PerThread& self) noexcept { detail::thread_ends(self); }
void lock_locals() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { detail::lock.lock(); }
void unlock_locals() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { detail::lock.unlock(); }
void reset_locals_after_fork() noexcept { Embedding::reset_after_fork(detail::lock); }
}  // namespace threads

void local<void>::throw_missing(std::string_view name) {
  throw AttributeError("'_thread._local' object has no attribute '" + std::string(name) + "'");
}

}  // namespace threading::inline v1
