# SPDX-License-Identifier: MIT
"""A PEP 517 back end: builds the wheel of the running interpreter with the system's CMake and compiler, offline.

scikit-build-core would do the same work, but Debian 12 does not package it and an isolated build would have to download
it. The wheel holds the package, its extension module, libthreadingpp.so.1 beside it, and the start-up file that child
processes of `python -m threadingpp --children` obey.
"""

import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = "libthreadingpp.so.1"
STARTUP = (
    "import os; os.environ.get('THREADINGPP') and "
    "__import__('threadingpp._hook', fromlist=['arm']).arm(os.environ['THREADINGPP'] == 'queue')\n"
)


def _field(name):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(rf'^{name} = "(.*)"$', text, re.M).group(1)


def _metadata():
    return (
        f"Metadata-Version: 2.1\nName: {_field('name')}\nVersion: {_field('version')}\n"
        f"Summary: {_field('description')}\nLicense: MIT\nRequires-Python: {_field('requires-python')}\n"
    )


def _tag():
    digits = "%d%d" % sys.version_info[:2]
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    return f"cp{digits}-cp{digits}{getattr(sys, 'abiflags', '')}-{platform}"


def _stem():
    return f"{_field('name')}-{_field('version')}"


def _build(folder):
    """Configures and builds into `folder`. Returns: the package's folder and the library."""
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DTHREADINGPP_BUILD_PYTHON=ON", f"-DTHREADINGPP_PYTHONS={sys.executable}",
               "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON"]
    options += [f"-DTHREADINGPP_{part}=OFF" for part in
                ("BUILD_TESTS", "BUILD_EXAMPLES", "BUILD_TOOLS", "BUILD_BENCH", "INSTALL")]
    if shutil.which("ninja"):
        options += ["-G", "Ninja"]
    version = "%d.%d" % sys.version_info[:2]
    # For this interpreter, whatever a build of the repository would choose; see CMakeLists.txt.
    environment = {name: value for name, value in os.environ.items() if name != "THREADINGPP_PYTHONS"}
    # CMake's output belongs to whoever asked pip for -v.
    subprocess.run(["cmake", "-S", str(ROOT), "-B", str(folder), *options], check=True, env=environment)
    subprocess.run(["cmake", "--build", str(folder), "--parallel", str(os.cpu_count() or 1), "--target",
                    f"threadingpp_python_{version}"], check=True)
    return folder / "python" / version / "threadingpp", folder / LIBRARY


def get_requires_for_build_wheel(config_settings=None):
    return []


def get_requires_for_build_sdist(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory) / f"{_stem()}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(_metadata(), encoding="utf-8")
    (folder / "WHEEL").write_text(_wheel_file(), encoding="utf-8")
    return folder.name


def _wheel_file():
    return f"Wheel-Version: 1.0\nGenerator: threadingpp\nRoot-Is-Purelib: false\nTag: {_tag()}\n"


class _Wheel:
    def __init__(self, path):
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._record = []

    def add(self, name, data):
        self._zip.writestr(name, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self._record.append(f"{name},sha256={digest},{len(data)}")

    def close(self, info):
        name = f"{info}/RECORD"
        self._zip.writestr(name, "\n".join(self._record + [f"{name},,"]) + "\n")
        self._zip.close()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"{_stem()}-{_tag()}.whl"
    info = f"{_stem()}.dist-info"
    with tempfile.TemporaryDirectory(prefix="threadingpp-") as scratch:
        package, library = _build(pathlib.Path(scratch))
        wheel = _Wheel(pathlib.Path(wheel_directory) / name)
        for file in sorted(package.iterdir()):
            if file.is_file():
                wheel.add(f"threadingpp/{file.name}", file.read_bytes())
        wheel.add(f"threadingpp/lib/{LIBRARY}", library.read_bytes())
        wheel.add("threadingpp.pth", STARTUP.encode())
        wheel.add(f"{info}/METADATA", _metadata().encode())
        wheel.add(f"{info}/WHEEL", _wheel_file().encode())
        wheel.close(info)
    return name


def build_sdist(sdist_directory, config_settings=None):
    stem = _stem()
    path = pathlib.Path(sdist_directory) / f"{stem}.tar.gz"
    wanted = ("pyproject.toml", "CMakeLists.txt", "LICENSE", "README.md", "cmake", "include", "src", "python")
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for each in wanted:
            if (ROOT / each).exists():
                archive.add(ROOT / each, f"{stem}/{each}",
                            filter=lambda item: None if "__pycache__" in item.name else item)
        facts = pathlib.Path(scratch) / "PKG-INFO"
        facts.write_text(_metadata(), encoding="utf-8")
        archive.add(facts, f"{stem}/PKG-INFO")
    return path.name
