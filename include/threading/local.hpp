// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <threading/detail/backend.hpp>
#include <threading/errors.hpp>

namespace threading::inline v1 {

namespace detail {

class LocalCore;
class LocalTables;  // the library's half

// One thread's value of one local. It is linked into two structures: the thread's table, which ends with the thread,
// and the local's list, which ends with the local; whichever ends first destroys it. Told in src/threads/local.cpp.
class LocalCell {
 public:
  LocalCell() = default;
  LocalCell(const LocalCell&) = delete;
  LocalCell& operator=(const LocalCell&) = delete;
  virtual ~LocalCell() = default;

 private:
  friend class LocalCore;
  friend class LocalTables;
  LocalCell* next_ = nullptr;
  LocalCell* previous_ = nullptr;
  LocalSlots* table_ = nullptr;
  LocalCore* local_ = nullptr;
};

struct alignas(std::uint64_t) LocalSlot {
  std::uint64_t local = 0;    // the id of the local whose value this is; written by the thread alone
  void* value = nullptr;      // valid while `local` is that of a living local; written by the thread alone
  LocalCell* cell = nullptr;  // null: the value is destroyed already
};

// One thread's values: a header, and `size` slots behind it.
struct alignas(std::uint64_t) LocalSlots {
  std::size_t size = 0;

  LocalSlot* begin() noexcept { return reinterpret_cast<LocalSlot*>(this + 1); }
  const LocalSlot* begin() const noexcept { return reinterpret_cast<const LocalSlot*>(this + 1); }
};
static_assert(sizeof(LocalSlots) % alignof(LocalSlot) == 0);

class THREADING_API LocalCore {
 protected:
  LocalCore();
  LocalCore(const LocalCore&) = delete;
  LocalCore& operator=(const LocalCore&) = delete;
  // Destroys the values that are left. Requires: no other thread uses this local any more; threads may be ending.
  ~LocalCore();

  // This thread's value, null if there is none yet.
  void* find() const noexcept {
    const LocalSlots* const table = backend::per_thread().locals;
    if (table == nullptr || index_ >= table->size) return nullptr;
    const LocalSlot& slot = table->begin()[index_];
    return slot.local == id_ ? slot.value : nullptr;
  }
  // Takes over `cell`, which holds `value`. Returns: this thread's value, which is another if there was one already.
  void* adopt(LocalCell* cell, void* value);

 private:
  friend class LocalTables;

  std::uint64_t id_;   // never used again
  std::size_t index_;  // into each thread's table; used again after this local
  LocalCell* first_ = nullptr;
};

}  // namespace detail

// Python's threading.local, typed: one T for each thread, made when the thread first asks for it, destroyed when the
// thread ends or when the local does, whichever comes first. A value that the main thread has when the process ends is
// destroyed with the local.
//
//   local<int> count;  ++*count;                                     // T()
//   local<Buffer> buffer([] { return Buffer(4096); });               // a factory, run in each thread
//
// T need be neither copyable nor movable. Not copyable, not movable itself.
// Lifetime: no other thread may use the local while it is destroyed; threads that have used it may be ending, though.
// The destructor of a T may use the whole library, other locals included; this one, too, when it is the thread that
// ends.
template <class T = void>
class local : private detail::LocalCore {
 public:
  local() {
    static_assert(std::is_default_constructible_v<T>, "a local without a factory makes T(): give it a factory");
  }
  explicit local(std::function<T()> make) : make_(std::move(make)) {}

  // This thread's value. Throws: what the constructor of T or the factory throws; it is tried again next time.
  T& get() {
    void* const value = find();
    return value != nullptr ? *static_cast<T*>(value) : make_value();
  }
  T& operator*() { return get(); }
  T* operator->() { return &get(); }

 private:
  struct Cell final : detail::LocalCell {
    Cell() : value() {}
    explicit Cell(const std::function<T()>& make) : value(make()) {}
    T value;
  };

  THREADING_COLD T& make_value() {
    Cell* const cell = make_ ? new Cell(make_) : make_default();
    // T may be const; nobody but its owner's find() looks through the pointer.
    return *static_cast<T*>(adopt(cell, const_cast<std::remove_const_t<T>*>(std::addressof(cell->value))));
  }
  static Cell* make_default() {
    if constexpr (std::is_default_constructible_v<T>) {
      return new Cell();
    } else {
      throw std::bad_function_call();  // an empty factory was given
    }
  }

  std::function<T()> make_{};
};

// Python's threading.local as it is: a bag of attributes, of which each thread has its own.
//
//   local<> mydata;
//   mydata["x"] = 1;
//   int x = mydata.get<int>("x");
template <>
class local<void> {
 public:
  local() = default;

  // An attribute to assign to.
  class Attribute {
   public:
    template <class V>
      requires(!std::is_same_v<std::remove_cvref_t<V>, Attribute>)
    Attribute& operator=(V&& value) {
      owner_.bag_->insert_or_assign(std::string(name_), std::any(std::forward<V>(value)));
      return *this;
    }
    // As local<>::get().
    template <class V>
    V& get() const {
      return owner_.get<V>(name_);
    }

   private:
    friend class local;
    Attribute(local& owner, std::string_view name) noexcept : owner_(owner), name_(name) {}

    local& owner_;
    std::string_view name_;
  };

  // Assign to it; it does not outlive the expression.
  Attribute operator[](std::string_view name) noexcept { return Attribute(*this, name); }

  // The value that this thread has assigned, as the type that was assigned.
  // Throws: AttributeError "'_thread._local' object has no attribute 'x'"; std::bad_any_cast for another type.
  template <class V>
  V& get(std::string_view name) {
    return std::any_cast<V&>(find(name));
  }
  // Whether this thread has the attribute.
  bool contains(std::string_view name) { return bag_->find(std::string(name)) != bag_->end(); }
  // Throws: AttributeError as get().
  void erase(std::string_view name) {
    if (bag_->erase(std::string(name)) == 0) throw_missing(name);
  }

 private:
  std::any& find(std::string_view name) {
    const auto found = bag_->find(std::string(name));
    if (found == bag_->end()) throw_missing(name);
    return found->second;
  }
  [[noreturn]] THREADING_API static void throw_missing(std::string_view name);

  local<std::unordered_map<std::string, std::any>> bag_{};
};

}  // namespace threading::inline v1
