#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a new user does: a virtual environment, the package in it, a web server, a program of one's own.

With THREADINGPP_PIP in the environment the package is what `pip install .` builds from a copy of the sources, without a
network; otherwise the build that is being tested.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WATCHDOG = 300
CLIENTS = 50

PROGRAM = '''
import collections, concurrent.futures, logging, queue, threading

logging.basicConfig(format="%(threadName)s %(message)s", filename="log.txt", level=logging.INFO)
assert hasattr(threading.Condition, "notify") and not hasattr(threading.Condition.notify, "__code__")
jobs, results = queue.Queue(10), queue.PriorityQueue()

def worker():
    while True:
        job = jobs.get()
        try:
            if job is None:
                return
            logging.info("job %d", job)
            results.put((-job, job * job))
        finally:
            jobs.task_done()

workers = [threading.Thread(target=worker, name=f"worker-{i}") for i in range(4)]
for each in workers:
    each.start()
with concurrent.futures.ThreadPoolExecutor(5) as pool:
    list(pool.map(jobs.put, range(1000)))
    for _ in workers:
        jobs.put(None)
    futures = [pool.submit(sum, range(n)) for n in range(100)]
    total = sum(future.result() for future in concurrent.futures.as_completed(futures))
jobs.join()
for each in workers:
    each.join()
timer = threading.Timer(0.01, results.put, [(1, "timer")])
timer.start()
timer.join()
squares = [results.get()[1] for _ in range(1000)]
assert squares == [n * n for n in reversed(range(1000))], squares[:5]
assert results.get() == (1, "timer")
logging.shutdown()
lines = open("log.txt").read().splitlines()
assert len(lines) == 1000 and all(line.startswith("worker-") for line in lines)
print(total, len(lines), threading.active_count())
'''


def install_by_pip(python, folder):
    sources = folder / "sources"
    wanted = ("pyproject.toml", "CMakeLists.txt", "LICENSE", "README.md", "cmake", "include", "src", "python")
    for name in wanted:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        sources.mkdir(exist_ok=True)
        copy(str(ROOT / name), str(sources / name))
    done = subprocess.run([python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", str(sources)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean(), timeout=1500)
    if done.returncode != 0:
        raise RuntimeError(done.stdout.decode())


def clean():
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


class NewUser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        by_pip = "THREADINGPP_PIP" in os.environ
        subprocess.run([sys.executable, "-m", "venv", *([] if by_pip else ["--without-pip"]), cls.folder / "venv"],
                       check=True, stdout=subprocess.DEVNULL, env=clean())
        cls.python = cls.folder / "venv" / "bin" / "python"
        if by_pip:
            install_by_pip(cls.python, cls.folder)
        else:
            site = next(cls.folder.glob("venv/lib/python*/site-packages"))
            (site / "threadingpp_test.pth").write_text(os.environ["PYTHONPATH"].split(os.pathsep)[0] + "\n")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_a_web_server_for_fifty_clients(self):
        served = self.folder / "served"
        served.mkdir()
        contents = {f"file{i}": os.urandom(20000 + i) for i in range(CLIENTS)}
        for name, data in contents.items():
            (served / name).write_bytes(data)
        server = subprocess.Popen([self.python, "-u", "-m", "threadingpp", "-m", "http.server", "--bind", "127.0.0.1", "0"],
                                  cwd=served, env=clean(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            port = int(re.search(rb"port (\d+)", server.stdout.readline())[1])

            def fetch(name):
                for _ in range(4):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=WATCHDOG) as answer:
                        if answer.read() != contents[name]:
                            return name
                return None

            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                wrong = [name for name in pool.map(fetch, contents) if name]
            self.assertEqual(wrong, [])
            self.assertIsNone(server.poll())
        finally:
            server.terminate()
            errors = server.communicate(timeout=WATCHDOG)[1].decode()
        self.assertNotIn("Traceback", errors)
        self.assertEqual(errors.count('" 200 '), 4 * CLIENTS)

    def test_a_program_of_pools_logs_and_queues(self):
        (self.folder / "program.py").write_text(PROGRAM)
        for options in ([], ["--queue"], ["--queue", "--children"]):
            with self.subTest(options):
                done = subprocess.run([self.python, "-m", "threadingpp", *options, "program.py"], cwd=self.folder,
                                      env=clean(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WATCHDOG)
                (self.folder / "log.txt").unlink()
                self.assertEqual((done.stderr.decode(), done.stdout.decode()), ("", "161700 1000 1\n"))
                self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
