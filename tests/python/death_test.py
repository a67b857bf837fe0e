#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ends: of the process with daemon threads in every blocking call, of all threads but one by fork, of objects, of
subinterpreters. Each case is a child process with an expected ending."""

import os
import subprocess
import sys
import textwrap
import unittest

EXITS = int(os.environ.get("THREADINGPP_EXITS", "20"))  # for each blocking call

BLOCKED = {
    "Lock.acquire": "lock.acquire()",
    "Lock.acquire with timeouts": "lock.acquire(timeout=0.001)",
    "with Lock": "with_(lock)",
    "RLock.acquire": "rlock.acquire()",
    "Condition.wait": "wait(condition)",
    "Condition.wait with timeouts": "wait(condition, 0.001)",
    "Condition over a Lock": "wait(over_lock)",
    "Condition over a foreign lock": "wait(over_foreign, 0.001)",
    "Event.wait": "event.wait()",
    "Event.wait with timeouts": "event.wait(0.001)",
    "Semaphore.acquire": "semaphore.acquire()",
    "Semaphore.acquire with timeouts": "semaphore.acquire(timeout=0.001)",
    "Barrier.wait": "barrier.wait()",
    "Queue.get": "queue.get()",
    "Queue.get with timeouts": "get(queue, 0.001)",
    "Queue.put": "full.put(1)",
    "Queue.join": "full.join()",
    "SimpleQueue.get": "simple.get()",
    "PriorityQueue.get": "priority.get()",
    "Thread.join": "main.join()",
}

SCENE = """
import threadingpp, threadingpp.queue as q
threadingpp.install()
import sys, threading, time
class Foreign:
    def __init__(self): self.inner = threading.Lock()
    def acquire(self, *a): return self.inner.acquire(*a)
    def release(self): self.inner.release()
    def __enter__(self): return self.acquire()
    def __exit__(self, *a): self.release()
lock, rlock, event, semaphore = threading.Lock(), threading.RLock(), threading.Event(), threading.Semaphore(0)
condition, over_lock = threading.Condition(), threading.Condition(threading.Lock())
over_foreign, barrier = threading.Condition(Foreign()), threading.Barrier(100)
queue, full, simple, priority = q.Queue(), q.Queue(1), q.SimpleQueue(), q.PriorityQueue()
full.put(0)
main = threading.main_thread()
lock.acquire(); rlock.acquire()
def wait(c, timeout=None):
    with c: c.wait(timeout)
def with_(l):
    with l: pass
def get(one, timeout):
    try: one.get(timeout=timeout)
    except q.Empty: pass
def block(call):
    code = compile(call, "call", "eval")
    def run():
        while True: eval(code)
    threads = [threading.Thread(target=run, daemon=True) for _ in range(4)]
    for each in threads: each.start()
    return threads
"""


def child(text, timeout=120):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SCENE + textwrap.dedent(text)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    return done.returncode, done.stdout


class Case(unittest.TestCase):
    def check(self, text, wanted="ok\n"):
        status, out = child(text)
        self.assertEqual((status, out), (0, wanted))


class Exit(Case):
    def test_with_daemon_threads_in_each_blocking_call(self):
        for name, call in BLOCKED.items():
            with self.subTest(name):
                for _ in range(EXITS):
                    self.check(f"block({call!r}); time.sleep(0.003); print('ok')")

    # From 3.14 on they are not ended, but wait for ever.
    @unittest.skipIf(sys.version_info >= (3, 14), "threads outlive the interpreter")
    def test_a_thread_that_is_ended_takes_no_lock_with_it(self):
        for name, call, wake in (("lock", "lock.acquire()", "lock.release()"),
                                 ("rlock", "rlock.acquire()", "rlock.release()"),
                                 ("condition", "wait(condition)", "with lock: lock.notify_all()"),
                                 ("over_lock", "wait(over_lock)", "with lock: lock.notify_all(); sleep(.005)")):
            with self.subTest(name):
                self.check(f"""
                    import os
                    from threadingpp import _core
                    class Last:
                        def __del__(self, lock={name}, listdir=os.listdir, sleep=time.sleep, write=os.write):
                            {wake}
                            while len(listdir("/proc/self/task")) > 1: sleep(0.001)
                            write(1, b"ok\\n" if lock.acquire(timeout=10) else b"lost\\n")
                    sys.last = Last()  # those of a module stay while threads that run there do
                    block("{call}")
                    while len(_core.waits()) < 4: time.sleep(0.001)
                """)


class Fork(Case):
    FORKED = """
        import os
        threads = [t for call in %r for t in block(call)]
        time.sleep(0.05)
        pid = os.fork()
        if pid == 0:
            # Nobody else is left; every object works, and owes its dead waiters nothing.
            assert threading.active_count() == 1 and not any(t.is_alive() for t in threads)
            for each in (threading.Lock(), threading.RLock(), threading.Condition()):
                with each: pass
            lock.release(); assert lock.acquire(timeout=5)
            rlock.release(); assert rlock.acquire(timeout=5)
            with condition: condition.notify_all(); assert not condition.wait(0.001)
            with over_lock: over_lock.notify(); assert not over_lock.wait(0.001)
            event.set(); assert event.wait(5); event.clear(); assert not event.wait(0.001)
            semaphore.release(); assert semaphore.acquire(timeout=5)
            assert not semaphore.acquire(timeout=0.001)
            done = []
            new = threading.Thread(target=lambda: done.append(event.wait(30)))
            new.start(); event.set(); new.join(30); assert done == [True]
            barrier.reset()
            os._exit(7)
        _, status = os.waitpid(pid, 0)
        assert os.WEXITSTATUS(status) == 7, status
        event.set()
        event.clear()  # they block again: threads that compute may crash an interpreter that ends
        print('ok')
    """

    def test_with_threads_waiting_on_every_primitive(self):
        calls = ["lock.acquire()", "rlock.acquire()", "wait(condition)", "wait(over_lock)", "event.wait()",
                 "semaphore.acquire()", "barrier.wait()", "queue.get()", "full.put(1)"]
        for _ in range(5):
            self.check(self.FORKED % calls)

    def test_held_locks_stay_held(self):
        self.check("""
            import os
            pid = os.fork()
            if pid == 0:
                assert lock.locked() and rlock._is_owned() and not lock.acquire(False)
                os._exit(7)
            assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
            print('ok')
        """)

    def test_from_a_thread_that_is_not_the_main_one(self):
        self.check("""
            import os
            def fork():
                pid = os.fork()
                if pid == 0:
                    assert threading.main_thread() is threading.current_thread()
                    worker = threading.Thread(target=event.set); worker.start()
                    assert event.wait(30); worker.join()
                    os._exit(7)
                assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
            thread = threading.Thread(target=fork); thread.start(); thread.join()
            print('ok')
        """)


class Signals(Case):
    WAITS = ["lock.acquire()", "over_lock_wait()", "wait(condition)", "event.wait()", "semaphore.acquire()",
             "barrier.wait()", "queue.get()", "full.put(1)", "simple.get()", "full.join()"]

    def test_a_handler_that_raises_ends_the_wait(self):
        for call in self.WAITS:
            with self.subTest(call):
                self.check(f"""
                    import signal
                    def over_lock_wait():
                        with over_lock: over_lock.wait()
                    class Stop(Exception): pass
                    def handler(*_): raise Stop
                    signal.signal(signal.SIGALRM, handler)
                    signal.setitimer(signal.ITIMER_REAL, 0.02)
                    try: {call}
                    except Stop: print('ok')
                    assert not condition._is_owned() and not over_lock._is_owned()
                    assert not condition._waiters and not over_lock._waiters
                """)

    def test_a_handler_that_returns_does_not_shorten_the_wait(self):
        for call in ("lock.acquire(timeout=0.3)", "wait(condition, 0.3)", "event.wait(0.3)",
                     "semaphore.acquire(timeout=0.3)", "get(queue, 0.3)"):
            with self.subTest(call):
                self.check(f"""
                    import signal
                    hits = []
                    signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
                    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
                    begin = time.monotonic(); {call}; taken = time.monotonic() - begin
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    assert taken >= 0.3 and hits, (taken, hits)
                    print('ok')
                """)

    def test_a_waiter_keeps_its_place_while_a_handler_runs(self):
        self.check("""
            import signal
            def handler(*_):
                with condition: condition.notify()   # the handler's own thread is the one that waits
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with condition: assert condition.wait(30)
            signal.signal(signal.SIGALRM, lambda *_: (event.set(), event.clear()))
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            assert event.wait(30)
            print('ok')
        """)


class Objects(Case):
    def test_nothing_is_kept(self):
        self.check("""
            import gc, resource
            kinds = [threading.Lock, threading.RLock, threading.Condition, threading.Event, threading.Semaphore,
                     threading.BoundedSemaphore, lambda: threading.Barrier(2, print), lambda: threading.Condition(threading.Lock()),
                     q.Queue, q.LifoQueue, q.PriorityQueue, q.SimpleQueue]
            def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for kind in kinds:
                for _ in range(20000): kind()
            before = peak()
            for kind in kinds:
                for _ in range(100000):
                    kind()
            assert peak() - before < 2000, peak() - before
            class Node(threading.Event): pass
            for _ in range(100000):
                node = Node(); node.self = node
            gc.collect()
            assert peak() - before < 20000, peak() - before
            print('ok')
        """)

    def test_weak_references_and_cycles(self):
        self.check("""
            import gc, weakref
            for make in (threading.Lock, threading.RLock, threading.Condition, threading.Event, threading.Semaphore,
                         threading.BoundedSemaphore, lambda: threading.Barrier(1), q.Queue, q.SimpleQueue):
                one = make(); seen = weakref.ref(one); del one
                assert seen() is None, make
            for kind in (threading.Condition, threading.Event, threading.Semaphore, threading.Barrier, q.Queue):
                one = kind(2) if kind is threading.Barrier else kind()
                one.me = one; seen = weakref.ref(one); del one; gc.collect()
                assert seen() is None, kind
            print('ok')
        """)

    def test_a_lock_is_kept_by_its_condition(self):
        self.check("""
            import gc
            c = threading.Condition(threading.Lock()); c.me = c; gc.collect()
            with c: assert not c.wait(0.001)
            print('ok')
        """)


class Interpreters(Case):
    def check_others(self, times, code, then=""):
        """Runs the code in so many other interpreters, each of which ends at once; then the rest in the main one."""
        code = "import sys; sys.path[:] = here; import threadingpp; threadingpp.install(); import threading; " + code
        self.check("code = %r\ntimes = %d\n" % (code, times) + textwrap.dedent("""
            try: import _xxsubinterpreters as s
            except ImportError: import _interpreters as s
            for _ in range(times):
                try: one = s.create(isolated=False)
                except TypeError: one = s.create()
                error = s.run_string(one, "here = %r\\n" % sys.path + code)
                assert not error, error
                s.destroy(one)
        """) + then + "\nprint('ok')\n")

    def test_each_has_its_own(self):
        self.check_others(3, "e = threading.Event(); t = threading.Thread(target=e.set); t.start(); assert e.wait(30); "
                             "t.join(); c = threading.Condition(); c.acquire(); assert not c.wait(0.001)",
                          then="with condition: assert not condition.wait(0.001)")

    def test_one_ends_right_after_its_timers(self):
        self.check_others(5, "t = threading.Timer(0.001, int); t.start(); t.join(); "
                             "t = threading.Timer(1000, int); t.start(); t.cancel(); t.join()")


class Pickling(Case):
    def test_classes_are_pickled_by_name(self):
        self.check("""
            import pickle
            for name in ("Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier", "Timer"):
                made = getattr(threading, name)
                assert pickle.loads(pickle.dumps(made)) is made, name
            print('ok')
        """)


class ForeignThreads(Case):
    def test_threads_of_the_low_level_module(self):
        self.check("""
            import _thread
            gate, seen = threading.Semaphore(0), []
            def run():
                with lock2: seen.append(threading.current_thread().name)
                gate.release()
            lock2 = threading.Lock()
            for _ in range(20): _thread.start_new_thread(run, ())
            for _ in range(20): assert gate.acquire(timeout=30)
            assert len(seen) == 20 and all(name.startswith('Dummy') for name in seen), seen
            print('ok')
        """)


if __name__ == "__main__":
    unittest.main()
