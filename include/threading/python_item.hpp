// SPDX-License-Identifier: MIT
//
// What travels through a Queue that C++ and Python share: a value that C++ can read without the interpreter's lock (the
// GIL), or a Python object that C++ only carries, or both. See threading/python.hpp.
#pragma once

#include <Python.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <variant>

#include <threading/detail/config.hpp>

namespace threading::inline v1::python {

// Python's bytes; a std::string is Python's str.
struct Bytes {
  std::string data;
};

namespace detail {
// A reference to a Python object that any thread may let go of. Whoever does so without the GIL leaves it to
// `discard`, which keeps it until the GIL is held.
struct Held {
  PyObject* object;
  Held* next;
  void (*discard)(Held* held) noexcept;
};
struct Discard {
  void operator()(Held* held) const noexcept { held->discard(held); }
};
using Reference = std::unique_ptr<Held, Discard>;

// A C++ value with the function that makes a Python object of it.
struct Custom {
  virtual ~Custom() = default;
  virtual const std::type_info& type() const noexcept = 0;
  virtual const void* address() const noexcept = 0;
  virtual PyObject* convert() = 0;
};
template <class T>
struct CustomOf final : Custom {
  CustomOf(T v, PyObject* (*f)(T&)) : value(std::move(v)), function(f) {}
  const std::type_info& type() const noexcept override { return typeid(T); }
  const void* address() const noexcept override { return std::addressof(value); }
  PyObject* convert() override { return function(value); }

  T value;
  PyObject* (*function)(T&);
};

template <class T>
concept Plain = std::same_as<T, bool> || std::same_as<T, std::int64_t> || std::same_as<T, double> ||
                std::same_as<T, std::string> || std::same_as<T, Bytes>;
}  // namespace detail

// One item. Move-only; may be made, moved and destroyed by any thread, also after the interpreter has ended.
class Item {
 public:
  Item() noexcept = default;  // None
  Item(bool value) noexcept : value_(value) {}
  Item(double value) noexcept : value_(value) {}
  // An integer that fits into 64 bits with its sign.
  template <std::integral I>
    requires(!std::same_as<I, bool> && (std::signed_integral<I> || sizeof(I) < sizeof(std::int64_t)))
  Item(I value) noexcept : value_(static_cast<std::int64_t>(value)) {}
  // UTF-8; what is not arrives as surrogate escapes, as file names do.
  Item(std::string text) noexcept : value_(std::move(text)) {}
  Item(std::string_view text) : value_(std::string(text)) {}
  Item(const char* text) : value_(std::string(text)) {}
  Item(Bytes bytes) noexcept : value_(std::move(bytes)) {}

  // Any C++ value. A Python thread that takes it out calls `convert` with the GIL held; a C++ thread finds it by
  // get_if<T>(). `convert` returns a new reference, or null with an exception set, which get() then raises: the item
  // is gone.
  template <class T>
  static Item own(T value, PyObject* (*convert)(T&)) {
    Item item;
    item.value_.template emplace<std::unique_ptr<detail::Custom>>(
        std::make_unique<detail::CustomOf<T>>(std::move(value), convert));
    return item;
  }

  // Whether it is None.
  bool is_none() const noexcept { return value_.index() == 0; }
  // Whether only Python can look inside: a list, an object of some class, an integer beyond 64 bits …
  bool is_object() const noexcept { return std::holds_alternative<Opaque>(value_); }
  // The value, if it is of this type: bool, std::int64_t, double, std::string, Bytes, or what own() was given.
  // Returns: null otherwise. Python's None, bool, int of 64 bits, float, str and bytes arrive as these; an int is no
  // double here, and a bool is no int.
  template <class T>
  const T* get_if() const noexcept {
    if constexpr (detail::Plain<T>) {
      return std::get_if<T>(&value_);
    } else {
      const auto* const custom = std::get_if<std::unique_ptr<detail::Custom>>(&value_);
      return custom != nullptr && (*custom)->type() == typeid(T) ? static_cast<const T*>((*custom)->address())
                                                                 : nullptr;
    }
  }

  // An item that is `object` for Python and, where it is one of the plain types exactly, its value for C++. Subclasses
  // are objects. Requires: the GIL. `discard` is detail::table()->discard. Use python::item() instead.
  static Item from_python(PyObject* object, void (*discard)(detail::Held*) noexcept);
  // The Python object: the one that it came from, or a new one for a value of C++.
  // Returns: a new reference, or null with an exception set. Requires: the GIL.
  PyObject* to_python() const;

 private:
  struct Opaque {};
  using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, Opaque,
                             std::unique_ptr<detail::Custom>>;

  static Value read(PyObject* object);
  static PyObject* object_of(const std::string& text) {
    return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  }
  static PyObject* object_of(const Bytes& bytes) {
    return PyBytes_FromStringAndSize(bytes.data.data(), static_cast<Py_ssize_t>(bytes.data.size()));
  }

  Value value_{};
  detail::Reference object_{};  // what Python put in
};

// None, True and False need no reference: there is only one of each.
inline Item Item::from_python(PyObject* object, void (*discard)(detail::Held*) noexcept) {
  Item item;
  item.value_ = read(object);
  if (item.is_none() || item.get_if<bool>() != nullptr) return item;
  item.object_.reset(new detail::Held{object, nullptr, discard});
  Py_INCREF(object);
  return item;
}

// Copies, because the interpreter may end before the item does.
inline Item::Value Item::read(PyObject* object) {
  if (object == Py_None) return std::monostate();
  if (PyBool_Check(object)) return object == Py_True;
  if (PyFloat_CheckExact(object)) return PyFloat_AS_DOUBLE(object);
  if (PyLong_CheckExact(object)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) return static_cast<std::int64_t>(number);
  } else if (PyUnicode_CheckExact(object)) {
    Py_ssize_t size = 0;
    const char* const text = PyUnicode_AsUTF8AndSize(object, &size);
    if (text != nullptr) return std::string(text, static_cast<std::size_t>(size));
    PyErr_Clear();  // lone surrogates: for Python only
  } else if (PyBytes_CheckExact(object)) {
    return Bytes{std::string(PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object)))};
  }
  return Opaque();
}

// What Python put in comes first, so that it gets the very object.
inline PyObject* Item::to_python() const {
  PyObject* result = object_ != nullptr ? object_->object : nullptr;
  if (result == nullptr && is_none()) result = Py_None;
  if (const auto* const truth = get_if<bool>()) result = *truth ? Py_True : Py_False;
  if (result != nullptr) {
    Py_INCREF(result);
    return result;
  }
  if (const auto* const number = get_if<std::int64_t>()) return PyLong_FromLongLong(*number);
  if (const auto* const number = get_if<double>()) return PyFloat_FromDouble(*number);
  if (const auto* const text = get_if<std::string>()) return object_of(*text);
  if (const auto* const bytes = get_if<Bytes>()) return object_of(*bytes);
  if (const auto* const custom = std::get_if<std::unique_ptr<detail::Custom>>(&value_)) return (*custom)->convert();
  PyErr_SetString(PyExc_ValueError, "this item was moved from");
  return nullptr;
}

}  // namespace threading::inline v1::python
