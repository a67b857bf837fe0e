// SPDX-License-Identifier: MIT
//
// The life of a queue, and the tables of its types.
#include "object_type.hpp"
#include "queue.hpp"

namespace face {
namespace queue {
namespace {

// Of an object as it comes from its allocation, or null.
PyObject* construct_ordered(PyObject* self, Order order) {
  if (self == nullptr) return nullptr;
  QueueObject& queue = object_of(self);
  new (&queue.guard) threading::RLock;
  queue.order = order;
  if (!make_dict_early(queue.dict)) {
    Py_DECREF(self);
    return nullptr;
  }
  if (order == Order::priority) {
    queue.heap = PyList_New(0);
    if (queue.heap == nullptr) {
      Py_DECREF(self);
      return nullptr;
    }
  }
  return self;
}

PyObject* construct(PyTypeObject* type, PyObject*, PyObject*) { return construct_ordered(allocate(type), Order::fifo); }
PyObject* construct_lifo(PyTypeObject* type, PyObject*, PyObject*) {
  return construct_ordered(allocate(type), Order::lifo);
}
PyObject* construct_priority(PyTypeObject* type, PyObject*, PyObject*) {
  return construct_ordered(allocate(type), Order::priority);
}

PyObject* construct_simple(PyTypeObject* type, PyObject* args, PyObject* names) {
  if (type->tp_init == PyBaseObject_Type.tp_init &&
      (PyTuple_GET_SIZE(args) != 0 || (names != nullptr && PyDict_GET_SIZE(names) != 0))) {
    PyErr_SetString(PyExc_TypeError, "SimpleQueue() takes no arguments");
    return nullptr;
  }
  return construct_ordered(type->tp_alloc(type, 0), Order::fifo);
}

// Whether a subclass has methods of its own: threadingpp.queue marks it.
int is_marked(PyObject* self, const char* name) {
  PyObject* const mark = PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(self)), name);
  if (mark == nullptr) {
    PyErr_Clear();
    return 0;
  }
  const int truth = PyObject_IsTrue(mark);
  Py_DECREF(mark);
  return truth;
}

// What a second __init__() does to a native queue: it is empty and whole. Who waits already goes on waiting, as there.
// Items go last: their destructors may do anything. Returns: -1 with an exception set.
int start_afresh(QueueObject& queue) {
  PyObject* ordered = nullptr;
  if (queue.heap != nullptr) {
    if (!hold(queue)) return -1;
    const Py_ssize_t size = PyList_GET_SIZE(queue.heap);
    ordered = PyList_GetSlice(queue.heap, 0, size);
    const bool done = ordered != nullptr && PyList_SetSlice(queue.heap, 0, size, nullptr) == 0;
    queue.guard.unlock();
    if (!done) {
      Py_XDECREF(ordered);
      return -1;
    }
  }
  queue.unfinished_tasks = 0;
  queue.is_shutdown = false;
  for (Py_ssize_t left = queue.ring.count; left > 0 && queue.ring.count != 0; --left) {
    PyObject* const item = queue.ring.pop_front();
    Py_DECREF(item);
  }
  Py_XDECREF(ordered);
  return 0;
}

int init(PyObject* self, PyObject* args, PyObject* names) {
  static const char* keywords[] = {"maxsize", nullptr};
  PyObject* maxsize = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, names, "|O:Queue", const_cast<char**>(keywords), &maxsize)) return -1;
  if (maxsize != nullptr && set_maxsize(self, maxsize, nullptr) < 0) return -1;
  const int calls = is_marked(self, "_has_calls");
  if (calls < 0) return -1;
  object_of(self).calls_by_name = calls == 1;
  const int hooks = is_marked(self, "_has_hooks");
  if (hooks < 0) return -1;
  if (hooks == 0 && object_of(self).mode == Mode::native) return start_afresh(object_of(self));
  if (hooks == 0 && object_of(self).mode == Mode::shared) return 0;
  object_of(self).mode = Mode::exposed;
  PyObject* const result = call_stdlib("__init__", self, &maxsize, maxsize != nullptr ? 1 : 0, nullptr);
  Py_XDECREF(result);
  return result != nullptr ? 0 : -1;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  const QueueObject& queue = object_of(self);
  for (Py_ssize_t i = 0; i != queue.ring.count; ++i) {
    Py_VISIT(queue.ring.items[(queue.ring.head + i) & (queue.ring.size - 1)]);
  }
  Py_VISIT(queue.heap);
  for (PyObject* part : queue.parts) Py_VISIT(part);
  Py_VISIT(queue.unfinished);
  Py_VISIT(queue.maxsize);
  Py_VISIT(queue.dict);
  return visit_type(self, visit, arg);
}

int drop(PyObject* self) {
  QueueObject& queue = object_of(self);
  while (queue.ring.count != 0) {
    PyObject* const item = queue.ring.pop_front();
    Py_DECREF(item);
  }
  if (queue.heap != nullptr && PyList_GET_SIZE(queue.heap) != 0) {
    PyList_SetSlice(queue.heap, 0, PyList_GET_SIZE(queue.heap), nullptr);
  }
  for (PyObject*& part : queue.parts) Py_CLEAR(part);
  Py_CLEAR(queue.dict);
  return 0;
}

void dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  QueueObject& queue = object_of(self);
  PyObject_GC_UnTrack(self);
  if (queue.weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  if (queue.shared != nullptr) {
    delete std::exchange(queue.shared, nullptr);
    drain();
  }
  drop(self);
  Py_CLEAR(queue.heap);
  Py_CLEAR(queue.unfinished);
  Py_CLEAR(queue.maxsize);
  PyMem_Free(queue.ring.items);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* class_getitem(PyObject* type, PyObject* item) {
#if PY_VERSION_HEX >= 0x03090000
  return Py_GenericAlias(type, item);
#else
  static_cast<void>(item);
  return new_reference(type);
#endif
}

void* part(Part index) { return reinterpret_cast<void*>(static_cast<std::intptr_t>(index)); }

PyMethodDef methods[] = {
    {"put", as_method(&put), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR(
         "put($self, item, block=True, timeout=None)\n--\n\nPut an item in; wait for a free slot, or raise Full.")},
    {"get", as_method(&get), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("get($self, block=True, timeout=None)\n--\n\nTake an item out; wait for one, or raise Empty.")},
    {"put_nowait", as_method(&put_nowait), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("put_nowait($self, item)\n--\n\nput(item, block=False)")},
    {"get_nowait", &get_nowait, METH_NOARGS, PyDoc_STR("get_nowait($self)\n--\n\nget(block=False)")},
    {"task_done", &task_done, METH_NOARGS,
     PyDoc_STR("task_done($self)\n--\n\nOne item that was taken out has been worked on.")},
    {"join", &join, METH_NOARGS, PyDoc_STR("join($self)\n--\n\nWait until all items have been worked on.")},
    {"qsize", &qsize, METH_NOARGS, PyDoc_STR("qsize($self)\n--\n\nAbout how many items there are.")},
    {"empty", &empty, METH_NOARGS, PyDoc_STR("empty($self)\n--\n\nWhether there is no item, at this moment.")},
    {"full", &full, METH_NOARGS, PyDoc_STR("full($self)\n--\n\nWhether there is no free slot, at this moment.")},
    {"__class_getitem__", &class_getitem, METH_O | METH_CLASS, nullptr},
    {kHasQueueShutdown ? "shutdown" : nullptr, as_method(&shut_down), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("shutdown($self, immediate=False)\n--\n\nNo more items; once empty, or at once, raise ShutDown.")},
    {nullptr, nullptr, 0, nullptr}};
PyMethodDef simple_methods[] = {
    {"put", as_method(&simple_put), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("put($self, /, item, block=True, timeout=None)\n--\n\nPut an item in; never waits.")},
    {"get", as_method(&get), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("get($self, /, block=True, timeout=None)\n--\n\nTake an item out; wait for one, or raise Empty.")},
    {"put_nowait", as_method(&simple_put_nowait), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("put_nowait($self, /, item)\n--\n\nput(item)")},
    {"get_nowait", &get_nowait, METH_NOARGS, PyDoc_STR("get_nowait($self, /)\n--\n\nget(block=False)")},
    {"qsize", &qsize, METH_NOARGS, PyDoc_STR("qsize($self, /)\n--\n\nAbout how many items there are.")},
    {"empty", &empty, METH_NOARGS, PyDoc_STR("empty($self, /)\n--\n\nWhether there is no item, at this moment.")},
    {"__class_getitem__", &class_getitem, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {kDictGetter,
                        {"mutex", &get_part, &set_part, nullptr, part(kMutex)},
                        {"not_empty", &get_part, &set_part, nullptr, part(kNotEmpty)},
                        {"not_full", &get_part, &set_part, nullptr, part(kNotFull)},
                        {"all_tasks_done", &get_part, &set_part, nullptr, part(kAllTasksDone)},
                        {"queue", &get_part, &set_part, nullptr, part(kItems)},
                        {"unfinished_tasks", &get_unfinished, &set_unfinished, nullptr, nullptr},
                        {"maxsize", &get_maxsize, &set_maxsize, nullptr, nullptr},
                        {kHasQueueShutdown ? "is_shutdown" : nullptr, &get_shutdown, &set_shutdown, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyGetSetDef simple_getset[] = {kDictGetter, {nullptr, nullptr, nullptr, nullptr, nullptr}};

constexpr unsigned kFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;

PyObject* make(PyObject* module, const char* name, newfunc construct_one, bool simple) {
  const char* const doc = simple ? "SimpleQueue()\n--\n\nFirst in, first out, without a bound."
                                 : "Queue(maxsize=0)\n--\n\nFirst in, first out.";
  PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                         {Py_tp_doc, const_cast<char*>(doc)},
                         {Py_tp_new, as_slot(construct_one)},
                         {Py_tp_traverse, as_slot(&traverse)},
                         {Py_tp_clear, as_slot(&drop)},
                         {Py_tp_methods, simple ? simple_methods : methods},
                         {Py_tp_getset, simple ? simple_getset : getset},
                         {simple ? 0 : Py_tp_init, as_slot(&init)},
                         {0, nullptr}};
  PyType_Spec spec{name, sizeof(QueueObject), 0, kFlags, slots};
  TypeExtras extras;
  extras.dict = offsetof(QueueObject, dict);
  extras.weakrefs = offsetof(QueueObject, weakrefs);
  return make_type(module, spec, extras);
}

// A queue of another order: a subclass that begins differently.
PyObject* make_ordered(PyObject* module, const char* name, newfunc construct_one) {
  PyType_Slot slots[] = {{Py_tp_dealloc, as_slot(&dealloc)},
                         {Py_tp_new, as_slot(construct_one)},
                         {Py_tp_traverse, as_slot(&traverse)},
                         {Py_tp_clear, as_slot(&drop)},
                         {0, nullptr}};
  PyType_Spec spec{name, sizeof(QueueObject), 0, kFlags, slots};
  return make_subtype(module, spec, "Queue", {});
}

}  // namespace
}  // namespace queue

PyObject* make_queue_type(PyObject* module) { return queue::make(module, "queue.Queue", &queue::construct, false); }
PyObject* make_lifo_queue_type(PyObject* module) {
  return queue::make_ordered(module, "queue.LifoQueue", &queue::construct_lifo);
}
PyObject* make_priority_queue_type(PyObject* module) {
  return queue::make_ordered(module, "queue.PriorityQueue", &queue::construct_priority);
}
PyObject* make_simple_queue_type(PyObject* module) {
  return queue::make(module, "queue.SimpleQueue", &queue::construct_simple, true);
}

}  // namespace face
