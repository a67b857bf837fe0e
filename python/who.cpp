// SPDX-License-Identifier: MIT
#include "who.hpp"

#include <threading/embedding.hpp>

#include <memory>

namespace face {
namespace {

using threading::Embedding;
using threading::detail::ThreadToken;

std::atomic<unsigned long> idents[kTokenSlots];  // of those in `introduced`

// relaxed: before anybody can call this module.
[[maybe_unused]] const bool nobody_has_token_0 = (introduced[0].store(1, std::memory_order_relaxed), true);

// Written and read with the GIL. A reader with a GIL of its own (another interpreter) may see half of a note: then it
// shows the times of the piece, or a wrong one once.
struct NotedPiece {
  std::atomic<ThreadToken> token{0};
  std::atomic<std::int64_t> bound{0};
  std::atomic<std::int64_t> whole{0};
  std::atomic<std::int64_t> since{0};
};
NotedPiece noted;

constexpr double kSecond = 1e-9;
constexpr std::size_t kEnough = 4096;

// relaxed throughout: for display. A wait of a signal handler's own is no piece of what the thread waits for below it,
// and has another bound.
Embedding::Waiting whole_of(Embedding::Waiting waiting) {
  if (noted.token.load(std::memory_order_relaxed) != waiting.thread) return waiting;
  if (noted.bound.load(std::memory_order_relaxed) != waiting.deadline.nanoseconds()) return waiting;
  waiting.deadline = threading::Deadline::at(noted.whole.load(std::memory_order_relaxed));
  waiting.since = noted.since.load(std::memory_order_relaxed);
  return waiting;
}

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

std::atomic<ThreadToken> introduced[kTokenSlots];

void introduce_thread() {
  const ThreadToken token = threading::detail::thread_token();
  // relaxed: for display; a reader that sees one without the other compares the token.
  idents[token % kTokenSlots].store(PyThread_get_thread_ident(), std::memory_order_relaxed);
  introduced[token % kTokenSlots].store(token, std::memory_order_relaxed);
}

void note_piece(const Piece& piece) {
  note_thread();
  // relaxed: as whole_of().
  noted.token.store(threading::detail::thread_token_hint(), std::memory_order_relaxed);
  noted.bound.store(piece.bound.nanoseconds(), std::memory_order_relaxed);
  noted.whole.store(piece.whole.nanoseconds(), std::memory_order_relaxed);
  noted.since.store(piece.since, std::memory_order_relaxed);
}

unsigned long ident_of(ThreadToken token) {
  // relaxed: as above.
  if (introduced[token % kTokenSlots].load(std::memory_order_relaxed) != token) return 0;
  return idents[token % kTokenSlots].load(std::memory_order_relaxed);
}

PyObject* list_waits(PyObject*, PyObject*) {
  const std::unique_ptr<Embedding::Waiting[]> found(new (std::nothrow) Embedding::Waiting[kEnough]);
  if (found == nullptr) return PyErr_NoMemory();
  const std::size_t count = Embedding::waiting(found.get(), kEnough);
  const std::int64_t now = threading::detail::backend::monotonic_now();
  PyObject* const list = PyList_New(0);
  for (std::size_t i = 0; list != nullptr && i != count && i != kEnough; ++i) {
    PyObject* const item = describe(whole_of(found[i]), now);
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
