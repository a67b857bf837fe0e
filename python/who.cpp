// SPDX-License-Identifier: MIT
#include "who.hpp"

#include <threading/embedding.hpp>

#include <atomic>
#include <memory>

namespace face {
namespace {

using threading::Embedding;
using threading::detail::ThreadToken;

// By the token's slot, which two living threads never share. Zero pages until used.
constexpr std::uint32_t kSlots = 1u << 20;
struct Entry {
  std::atomic<ThreadToken> token;
  std::atomic<unsigned long> ident;
};
Entry entries[kSlots];

constexpr double kSecond = 1e-9;
constexpr std::size_t kEnough = 4096;

PyObject* describe(const Embedding::Waiting& waiting, std::int64_t now) {
  PyObject* left = new_reference(Py_None);
  if (!waiting.deadline.is_never()) {
    Py_DECREF(left);
    left = PyFloat_FromDouble(static_cast<double>(waiting.deadline.nanoseconds() - now) * kSecond);
  }
  return Py_BuildValue("(ksnkdN)", ident_of(waiting.thread), waiting.kind, reinterpret_cast<Py_ssize_t>(waiting.object),
                       ident_of(waiting.owner), static_cast<double>(now - waiting.since) * kSecond, left);
}

}  // namespace

void introduce_thread() {
  const ThreadToken token = threading::detail::thread_token();
  Entry& entry = entries[token % kSlots];
  // relaxed: for display; a reader that sees one without the other compares the token.
  entry.ident.store(PyThread_get_thread_ident(), std::memory_order_relaxed);
  entry.token.store(token, std::memory_order_relaxed);
}

unsigned long ident_of(ThreadToken token) {
  if (token == 0) return 0;
  const Entry& entry = entries[token % kSlots];
  // relaxed: as above.
  if (entry.token.load(std::memory_order_relaxed) != token) return 0;
  return entry.ident.load(std::memory_order_relaxed);
}

PyObject* list_waits(PyObject*, PyObject*) {
  const std::unique_ptr<Embedding::Waiting[]> found(new (std::nothrow) Embedding::Waiting[kEnough]);
  if (found == nullptr) return PyErr_NoMemory();
  const std::size_t count = Embedding::waiting(found.get(), kEnough);
  const std::int64_t now = threading::detail::backend::monotonic_now();
  PyObject* const list = PyList_New(0);
  for (std::size_t i = 0; list != nullptr && i != count && i != kEnough; ++i) {
    PyObject* const item = describe(found[i], now);
    if (item == nullptr || PyList_Append(list, item) < 0) {
      Py_XDECREF(item);
      Py_DECREF(list);
      return nullptr;
    }
    Py_DECREF(item);
  }
  return list;
}

}  // namespace face
