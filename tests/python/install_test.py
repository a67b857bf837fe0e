#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""install(), uninstall(), the environment switch, and `python -m threadingpp`: each case in an interpreter of its own."""

import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "python"))
import build_backend  # noqa: E402

PACKAGE = os.environ["PYTHONPATH"].split(os.pathsep)[0]
WATCHDOG = 120

# What install() may change.
STATE = """
import queue, sys, threading, threadingpp
def state():
    names = {name: id(value) for name, value in vars(threading).items()}
    names.update({"queue." + name: id(value) for name, value in vars(queue).items()})
    names["started"] = id(threading.main_thread()._started)
    return names
def is_ours():
    return type(threading.Event()).__init__ is not before_init
before_init = type(threading.Event()).__init__
"""


def run(*arguments, environment=None, interpreter=sys.executable, cwd=None):
    """Returns: (status, stdout, stderr)."""
    done = subprocess.run([str(interpreter), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WATCHDOG,
                          env={**os.environ, **(environment or {})}, cwd=cwd, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Case(unittest.TestCase):
    def check(self, program, **keywords):
        """The program asserts by itself, and ends with status 0."""
        status, out, errors = run("-c", STATE + textwrap.dedent(program), **keywords)
        self.assertEqual((status, errors), (0, ""), out)
        return out


class Refusals(Case):
    def test_too_late(self):
        self.check("""
            go = threading.Event()
            thread = threading.Thread(target=go.wait)
            thread.start()
            before = state()
            for queue_too in (False, True):
                try:
                    threadingpp.install(queue=queue_too)
                except RuntimeError as error:
                    assert "must come before the first thread is started" in str(error), error
                    assert "python -m threadingpp" in str(error), error
                else:
                    raise AssertionError
            assert state() == before and not threadingpp.is_installed() and not is_ours()
            go.set()
            thread.join()
            threadingpp.install()
            assert threadingpp.is_installed() and is_ours()
        """)

    def refuse_monkey(self, name, module, function, patched):
        self.check(f"""
            import types
            monkey = types.ModuleType({module!r})
            monkey.{function} = lambda name: name == {patched!r}
            sys.modules[{module!r}] = monkey
            before = state()
            try:
                threadingpp.install(queue=True)
            except RuntimeError as error:
                assert str(error).startswith({name!r} + " has replaced `threading`"), error
            else:
                raise AssertionError
            assert state() == before and not threadingpp.is_installed() and not is_ours()
            monkey.{function} = lambda name: False
            threadingpp.install()
            assert is_ours()
        """)

    def test_gevent(self):
        self.refuse_monkey("gevent", "gevent.monkey", "is_module_patched", "threading")

    def test_eventlet(self):
        self.refuse_monkey("eventlet", "eventlet.patcher", "is_monkey_patched", "thread")


class InPlace(Case):
    def test_twice_is_once(self):
        self.check("""
            threadingpp.install()
            before = state()
            threadingpp.install()
            assert state() == before
        """)

    def test_uninstall_restores(self):
        self.check("""
            before = state()
            threadingpp.install(queue=True)
            assert is_ours() and queue.Queue is threadingpp.Queue
            changed = [name for name, value in state().items() if before.get(name) != value]
            assert {"Condition", "Event", "Thread", "Timer", "queue.Queue"} <= set(changed), changed
            go, lock, q = threading.Event(), threading.Lock(), queue.Queue()
            thread = threading.Thread(target=lambda: q.put(go.wait(60)))
            thread.start()
            threadingpp.uninstall()
            assert not threadingpp.is_installed() and not is_ours()
            # Objects are not names: the module's own locks and the main thread's event stay.
            kept = {"started", "_active_limbo_lock", "_shutdown_locks_lock"}
            left = {name for name, value in state().items() if before.get(name) != value}
            assert left <= kept, left
            with lock:
                go.set()
            thread.join()
            assert q.get(timeout=60) is True
            later = threading.Thread(target=q.put, args=(1,))
            later.start()
            later.join()
            assert q.get(timeout=60) == 1
            threadingpp.uninstall()
            threadingpp.install()
            assert is_ours()
        """)

    def test_captured_names_keep_what_they_are(self):
        self.check("""
            from threading import Event, Lock
            old = Lock()
            threadingpp.install()
            assert Event is not threading.Event
            condition = threading.Condition(old)
            with condition:
                assert old.locked() and condition.wait(0.001) is False
            assert not old.locked()
        """)

    def test_users_of_the_module_follow(self):
        self.check("""
            threadingpp.install()
            import concurrent.futures, logging
            assert type(logging.getLogger().manager.loggerDict) is dict
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                assert sorted(pool.map(abs, range(-50, 0))) == list(range(1, 51))
                assert type(pool._shutdown_lock) is type(threading.Lock())
        """)

    def test_a_patch_of_what_is_not_replaced_is_taken_back(self):
        self.check("""
            import threading as stdlib
            from threadingpp import threading
            from unittest import mock
            for name in "excepthook", "get_ident", "Barrier":
                before = getattr(stdlib, name), getattr(threading, name)
                with mock.patch.object(threading, name, print):
                    assert getattr(threading, name) is print
                assert (getattr(stdlib, name), getattr(threading, name)) == before
        """)

    def test_importing_alone_changes_nothing(self):
        # Some installations import `threading` at start-up.
        program = "import sys; a = set(sys.modules); import threadingpp; print('threading' in set(sys.modules) - a)"
        self.assertEqual(run("-c", program), (0, "False\n", ""))


class Switch(unittest.TestCase):
    """THREADINGPP, obeyed by the start-up file that pip installs."""

    PROBE = "import queue, threading as t; print(hasattr(t.Condition.notify, '__code__'), hasattr(queue.Queue.put, '__code__'))"
    STOCK, OURS, BOTH = "True True\n", "False True\n", "False False\n"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", cls.folder.name], check=True,
                       stdout=subprocess.DEVNULL)
        cls.python = pathlib.Path(cls.folder.name) / "bin" / "python"
        site = next(pathlib.Path(cls.folder.name).glob("lib/python*/site-packages"))
        (site / "a_path.pth").write_text(PACKAGE + "\n")
        (site / "threadingpp.pth").write_text(build_backend.STARTUP)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def ask(self, *arguments, **environment):
        status, out, errors = run(*arguments, interpreter=self.python, environment={"PYTHONPATH": "", **environment})
        self.assertEqual((status, errors), (0, ""))
        return out

    def test_only_when_it_is_set(self):
        for flags in ([], ["-I"], ["-E", "-s"]):
            with self.subTest(flags):
                self.assertEqual(self.ask(*flags, "-c", self.PROBE), self.STOCK)
                self.assertEqual(self.ask(*flags, "-c", self.PROBE, THREADINGPP=""), self.STOCK)
                self.assertEqual(self.ask(*flags, "-c", self.PROBE, THREADINGPP="1"), self.OURS)
                self.assertEqual(self.ask(*flags, "-c", self.PROBE, THREADINGPP="queue"), self.BOTH)
        self.assertEqual(self.ask("-S", "-c", self.PROBE, THREADINGPP="1"), self.STOCK)

    def test_children_option(self):
        child = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', {self.PROBE!r}], check=True)"
        run_it = ("-m", "threadingpp")
        self.assertEqual(self.ask(*run_it, "-c", child), self.STOCK)
        self.assertEqual(self.ask(*run_it, "--children", "-c", child), self.OURS)
        self.assertEqual(self.ask(*run_it, "--queue", "--children", "-c", child), self.BOTH)

    def test_spawned_processes(self):
        program = pathlib.Path(self.folder.name) / "spawn.py"
        program.write_text(textwrap.dedent(f"""
            import multiprocessing
            def report():
                {self.PROBE}
            if __name__ == "__main__":
                process = multiprocessing.get_context("spawn").Process(target=report)
                process.start()
                process.join()
        """))
        self.assertEqual(self.ask("-m", "threadingpp", "--children", str(program)), self.OURS)


class Program(unittest.TestCase):
    """python -m threadingpp."""

    SHOW = "import sys, threading\nprint(__name__, sys.argv, hasattr(threading.Condition.notify, '__code__'))\n"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return str(path)

    def run_it(self, *arguments):
        return run("-m", "threadingpp", *arguments, cwd=self.folder)

    def test_script(self):
        path = self.write("script.py", self.SHOW + "import neighbour\nprint(__file__ == sys.argv[0])\n")
        self.write("neighbour.py", "")
        status, out, errors = self.run_it(path, "-x", "--queue")
        self.assertEqual((status, out, errors), (0, f"__main__ {[path, '-x', '--queue']} False\nTrue\n", ""))

    def test_folder(self):
        path = self.write("app/__main__.py", self.SHOW)
        status, out, errors = self.run_it(str(self.folder / "app"), "1")
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("False", out)
        self.assertTrue(os.path.exists(path))

    def test_module(self):
        self.write("a_module.py", self.SHOW + "print(__spec__.name)\n")
        status, out, errors = self.run_it("-m", "a_module", "1")
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(out.splitlines()[1], "a_module")
        self.assertIn("a_module.py', '1'] False", out)

    def test_code(self):
        status, out, errors = self.run_it("-c", self.SHOW, "1", "2")
        self.assertEqual((status, out, errors), (0, "__main__ ['-c', '1', '2'] False\n", ""))

    def test_status(self):
        for code, wanted in (("raise SystemExit(3)", 3), ("import sys; sys.exit('no')", 1), ("1 / 0", 1), ("pass", 0)):
            with self.subTest(code):
                self.assertEqual(self.run_it("-c", code)[0], wanted)

    def test_a_thread_that_outlives_main(self):
        path = self.write("late.py", """
            import threading
            def work():
                threading.main_thread().join()
                print(NAME, pickle.loads(pickle.dumps(Thing())).__class__ is Thing)
            class Thing: pass
            import pickle
            NAME = "still here"
            threading.Thread(target=work).start()
        """)
        self.assertEqual(self.run_it(path), (0, "still here True\n", ""))

    def test_misuse(self):
        for arguments, wanted in (((), "usage:"), (("-m",), "-m needs an argument"), (("-c",), "-c needs an argument"),
                                  (("absent.py",), "cannot read absent.py: No such file or directory"),
                                  (("-m", "no_such_module"), "no_such_module")):
            with self.subTest(arguments):
                status, out, errors = self.run_it(*arguments)
                self.assertNotEqual(status, 0)
                self.assertIn(wanted, errors)
                self.assertEqual(out, "")


if __name__ == "__main__":
    unittest.main()
