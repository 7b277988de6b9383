"""Models on several threads: which threads they get, and that the results are exact."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from lamina.backends.cpu import thread_pool
from lamina.backends.cpu.compiler import compile_object, triple
from lamina.backends.cpu.engine import Engine
from lamina.backends.cpu.manifest import Argument, Manifest
from lamina.backends.cpu.model import CPUModel
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.load import load
from lamina.backends.machine import describe
from lamina.backends.model import CompiledModel
from lamina.errors import LaminaError

# 1. table[k] = the thread of step k; 2. y[k] = scale * x[k] for the 64 k of each of 8 steps
TEXT = """
define void @who_step(ptr %table, i64 %k) nounwind {
  %id = call i64 @pthread_self()
  %at = getelementptr i64, ptr %table, i64 %k
  store i64 %id, ptr %at
  ret void
}
define void @who(ptr %table) nounwind {
  call void @lamina_parallel(ptr @who_step, ptr %table, i64 4)
  ret void
}
define void @scaled_step(ptr %table, i64 %step) nounwind {
  %slot = getelementptr ptr, ptr %table, i64 1
  %x = load ptr, ptr %table
  %y = load ptr, ptr %slot
  %begin = mul i64 %step, 64
  %end = add i64 %begin, 64
  br label %loop
loop:
  %i = phi i64 [%begin, %0], [%next, %loop]
  %from = getelementptr float, ptr %x, i64 %i
  %to = getelementptr float, ptr %y, i64 %i
  %v = load float, ptr %from
  %scaled = fmul float %v, SCALE
  store float %scaled, ptr %to
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %out
out:
  ret void
}
define void @scaled(ptr %table) nounwind {
  br label %loop
loop:
  %k = phi i64 [0, %0], [%next, %loop]
  call void @lamina_parallel(ptr @scaled_step, ptr %table, i64 8)
  %next = add i64 %k, 1
  %more = icmp slt i64 %next, 20
  br i1 %more, label %loop, label %out
out:
  ret void
}
declare void @lamina_parallel(ptr, ptr, i64)
declare i64 @pthread_self()
"""
X = np.random.default_rng(0).normal(size=512).astype(np.float32)


def model(threads: int, scale: float = 2.0) -> CompiledModel:
    """y = scale * x, compiled for so many threads."""
    code = compile_object(TEXT.replace("SCALE", f"{scale:e}"), describe("cpu"))
    arguments = (
        Argument("input", "x", X.shape, "float32"),
        Argument("output", "y", X.shape, "float32"),
    )
    manifest = Manifest("scaled", "cpu", "", triple(), (), arguments, (), "0", threads)
    return CPUModel({"scaled": code}, manifest, {})


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine([compile_object(TEXT.replace("SCALE", "1.0"), describe("cpu"))], ["who"])


def who(threads: ThreadPool, engine: Engine) -> list[int]:
    """The thread of each of four steps: 0 for the caller, 1, 2... for others."""
    table = (ctypes.c_void_p * 4)()
    threads.run(engine.address("who"), table)
    found = [int(t or 0) for t in table]
    others = [t for t in dict.fromkeys(found) if t != threading.get_ident()]
    return [0 if t == threading.get_ident() else 1 + others.index(t) for t in found]


def test_compiled_code_shares_its_steps_out(engine: Engine) -> None:
    assert who(ThreadPool(1), engine) == [0, 0, 0, 0]
    assert who(ThreadPool(2), engine) == [0, 0, 1, 1]
    assert who(ThreadPool(3), engine) == [0, 1, 2, 2]
    assert who(ThreadPool(4), engine) == [0, 1, 2, 3]


def test_python_functions_have_the_threads_too(engine: Engine) -> None:
    table = (ctypes.c_void_p * 4)()
    main = engine.function("who", 1)
    main(table)
    assert len(set(table)) == 1
    ThreadPool(2).call(lambda: main(table))
    assert len(set(table)) == 2
    with pytest.raises(ZeroDivisionError):
        ThreadPool(2).call(lambda: print(1 / 0))


def test_models_share_threads() -> None:
    assert ThreadPool.shared(2) is ThreadPool.shared(2)
    assert ThreadPool.shared(2) is not ThreadPool.shared(3)


def threads_of_this_process() -> int:
    return len(os.listdir("/proc/self/task"))


def test_threads_end_with_the_last_who_has_them() -> None:
    before = threads_of_this_process()
    some = ThreadPool(5)
    assert threads_of_this_process() == before + 4
    del some
    assert threads_of_this_process() == before


def test_a_model_for_one_thread_has_no_thread_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_pool.ThreadPool, "shared", None)
    assert model(1).threads == 1


@pytest.mark.parametrize("cpus", [1, 2])
def test_no_more_threads_run_than_there_are_processors(
    cpus: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model(4).save(tmp_path / "four.lam")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)))
    found = load(tmp_path / "four.lam")
    assert found.threads == cpus
    np.testing.assert_array_equal(found(X), 2 * X)


def test_a_model_may_run_on_fewer_threads_than_it_was_compiled_for(tmp_path: Path) -> None:
    model(2).save(tmp_path / "two.lam")
    one = load(tmp_path / "two.lam", threads=1)
    assert one.threads == 1
    np.testing.assert_array_equal(one(X), 2 * X)
    for wrong in (0, 3):
        with pytest.raises(LaminaError, match=f"two.lam: threads={wrong} needs a model that was c"):
            load(tmp_path / "two.lam", threads=wrong)


def on_threads(work: Callable[[int], None], count: int) -> None:
    """Call `work` on so many Python threads at once; what one of them raises is raised."""
    failed = list[BaseException]()

    def guarded(k: int) -> None:
        try:
            work(k)
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
        assert not t.is_alive()
    if failed:
        raise failed[0]


def test_python_threads_call_two_models_at_once() -> None:
    models = [model(2, 2.0), model(2, 3.0)]
    inputs = [X + k for k in range(8)]

    def work(k: int) -> None:
        for call in range(50):
            which = (k + call) % 2
            np.testing.assert_array_equal(models[which](inputs[k]), (2.0 + which) * inputs[k])

    on_threads(work, 8)


def started(
    tmp_path: Path, text: str, threads: int = 2, **environment: str
) -> subprocess.Popen[str]:
    """A process of its own, in which `m` is a model on so many threads."""
    model(threads).save(tmp_path / "m.lam")
    head = f"""
import os, sys, threading, time
import numpy as np, lamina
from lamina.backends.cpu import cores
cores.CLAIMED = "lamina test {os.getpid()}"
x = np.arange(512, dtype=np.float32)
m = lamina.load({str(tmp_path / "m.lam")!r})
def works():
    np.testing.assert_array_equal(m(x), 2 * x)
def threads():
    return len(os.listdir("/proc/self/task"))
def cpus():
    status = [open(f"/proc/self/task/{{t}}/status").read() for t in os.listdir("/proc/self/task")]
    return [s.split("Cpus_allowed_list:")[1].split()[0] for s in status]
"""
    return subprocess.Popen(
        [sys.executable, "-c", head + text],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Done(NamedTuple):
    """What a process left."""

    stdout: str
    stderr: str
    returncode: int


def program(tmp_path: Path, text: str, threads: int = 2, **environment: str) -> Done:
    """Such a process, when it has ended."""
    process = started(tmp_path, text, threads, **environment)
    try:
        return Done(*process.communicate(timeout=60), process.returncode)
    finally:
        process.kill()


def test_children_have_threads_of_their_own(tmp_path: Path) -> None:
    done = program(
        tmp_path,
        """
works()
sys.stdout.flush()
if child := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    works()
else:
    alone = threads()
    works()
    if grandchild := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
    else:
        works()
        os._exit(5)
    os._exit(7 if (alone, threads(), status) == (1, 2, 5) else 1)
print("ok")
""",
    )
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr


def test_children_of_a_process_that_runs_models_run_them_too(tmp_path: Path) -> None:
    done = program(
        tmp_path,
        """
import signal
def forever():
    while True:
        works()
threading.Thread(target=forever, daemon=True).start()
for k in range(10):
    if not (child := os.fork()):
        signal.alarm(10)
        os._exit(7 if (m(x) == 2 * x).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print("ok")
""",
    )
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr


def test_the_process_ends_while_models_run(tmp_path: Path) -> None:
    done = program(
        tmp_path,
        """
def forever():
    while True:
        works()
for k in range(3):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
print("ok")
""",
    )
    assert (done.stdout, done.returncode, done.stderr) == ("ok\n", 0, "")


def test_an_interrupt_reaches_python_at_once(tmp_path: Path) -> None:
    """Workers block signals: one that they got would wait until Python looks."""
    done = program(
        tmp_path,
        """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore it
works()
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    time.sleep(20)
except KeyboardInterrupt:
    print("ok" if time.monotonic() - start < 10 else "late")
""",
    )
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr


CORES = len(os.sched_getaffinity(0))
WORK = """
allowed = os.sched_getaffinity(0)
works()
assert os.sched_getaffinity(0) == allowed, "the caller is free after the call"
print(sum(c.isdigit() for c in cpus()) if len(allowed) > 1 else 0)
"""


def test_two_processes_are_not_bound_to_the_same_cores(tmp_path: Path) -> None:
    first = started(tmp_path, "print(m.bind(), flush=True); sys.stdin.read()", CORES)
    assert first.stdout is not None
    assert first.stdout.readline() == "True\n"
    assert program(tmp_path, "print(m.bind())" + WORK, CORES).stdout == "False\n0\n"
    first.communicate()
    assert program(tmp_path, "print(m.bind())" + WORK, CORES).stdout == f"True\n{CORES - 1}\n"


def test_the_environment_binds_too(tmp_path: Path) -> None:
    assert program(tmp_path, WORK, CORES, LAMINA_BIND="1").stdout == f"{CORES - 1}\n"
    assert program(tmp_path, WORK, CORES).stdout == "0\n"


def test_a_library_that_is_not_built_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(thread_pool.LIBRARIES, "lamina", "nothing.so")
    thread_pool.library.cache_clear()
    with pytest.raises(LaminaError, match=r"nothing.so is not built: run `python setup.py build_"):
        ThreadPool(2)
    monkeypatch.setenv("LAMINA_POOL", "best")
    with pytest.raises(LaminaError, match=r"LAMINA_POOL may be lamina or openmp, found 'best'"):
        ThreadPool(2)


def test_a_missing_compiler_is_one_line() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "unused"]
    environment = {**os.environ, "CXX": "nothing++ -m64"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: lamina needs a C++17 compiler for its thread pool, found no nothing++ -m64: install"
    )
    assert done.stderr.count("\n") == 1


def test_openmp_serves_the_same_interface(tmp_path: Path) -> None:
    done = program(tmp_path, "print(-threads() + (works() or threads()))", LAMINA_POOL="openmp")
    assert done.stdout == "1\n", done.stderr


def test_threads_sleep_when_there_is_nothing_to_do() -> None:
    some = ThreadPool(2)
    some.call(lambda: None)
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1
    assert some.threads == 2
