"""
The thread pool's own test in C++, plain and under sanitizers, and that it can fail.

A program that is killed by a sanitizer exits with a status of its own: errors are not overlooked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "backends" / "cpu" / "runtime"

BUILDS = {
    "plain": ["-O2", "-std=c++17"],
    "thread": ["-O1", "-g", "-std=c++17", "-fsanitize=thread"],
    "address": ["-O1", "-g", "-std=c++17", "-fsanitize=address,undefined", "-fno-sanitize-recover"],
    "standard-wait": ["-O2", "-std=c++20", "-DLAMINA_STANDARD_WAIT"],
}
TESTS = 12


def run(folder: Path, flags: list[str], seconds: int = 120) -> subprocess.CompletedProcess[str]:
    """The test program, built with these flags."""
    compiler = os.environ.get("CXX", "g++")
    assert shutil.which(compiler), f"needs a C++ compiler, found no {compiler}"
    program = folder / "pool_test"
    sources = [str(HERE / "pool_test.cc"), str(RUNTIME / "thread_pool.cc")]
    strict = ["-Wall", "-Wextra", "-Werror", "-pthread"]
    command = [compiler, *strict, *flags, f"-I{RUNTIME}", *sources, "-o", str(program)]
    subprocess.run(command, check=True)
    return subprocess.run([program, str(seconds)], capture_output=True, text=True)


@pytest.mark.parametrize("build", BUILDS)
def test_threads_work(tmp_path: Path, build: str) -> None:
    done = run(tmp_path, BUILDS[build])
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("ok\n"), done.stderr
    assert len(done.stderr.splitlines()) == TESTS + 1, done.stderr


@pytest.mark.parametrize(
    ("flag", "build", "says"),
    [
        # work is handed over without saying that memory was written before
        ("-DLAMINA_BROKEN_ORDER", "thread", "data race"),
        # whoever sleeps is not woken
        ("-DLAMINA_BROKEN_WAKE", "plain", ""),
    ],
)
def test_a_broken_thread_pool_is_noticed(tmp_path: Path, flag: str, build: str, says: str) -> None:
    done = run(tmp_path, [*BUILDS[build], flag], seconds=10)
    assert done.returncode != 0
    assert says in done.stderr
    assert not done.stderr.endswith("ok\n")
