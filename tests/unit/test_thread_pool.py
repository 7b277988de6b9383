"""Models on several threads: which threads they get, and that the results are exact."""

from __future__ import annotations

import ctypes
import threading

import pytest

from lamina.backends.cpu.compiler import compile_object
from lamina.backends.cpu.engine import Engine
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.machine import describe

# y[i] = x[i] + k for the i of step k, and which thread did it
TEXT = """
define void @step(ptr %table, i64 %k) nounwind {
  %id = call i64 @pthread_self()
  %at = getelementptr i64, ptr %table, i64 %k
  store i64 %id, ptr %at
  ret void
}
define void @main(ptr %table) nounwind {
  call void @lamina_parallel(ptr @step, ptr %table, i64 4)
  ret void
}
declare void @lamina_parallel(ptr, ptr, i64)
declare i64 @pthread_self()
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine([compile_object(TEXT, describe("cpu"))], ["main"])


def run(pool: ThreadPool, engine: Engine) -> list[int]:
    """The thread of each of four steps, as 0 for the caller and 1, 2... for others."""
    table = (ctypes.c_void_p * 4)()
    pool.run(engine.address("main"), table)
    others = list(dict.fromkeys(t for t in table if t != threading.get_ident()))
    return [0 if t == threading.get_ident() else 1 + others.index(t) for t in table]


def test_compiled_code_shares_its_steps_out(engine: Engine) -> None:
    assert run(ThreadPool(1), engine) == [0, 0, 0, 0]
    assert run(ThreadPool(2), engine) == [0, 0, 1, 1]
    assert run(ThreadPool(4), engine) == [0, 1, 2, 3]


def test_python_functions_have_the_threads_too(engine: Engine) -> None:
    table = (ctypes.c_void_p * 4)()
    main = engine.function("main", 1)
    main(table)
    assert len(set(table)) == 1
    ThreadPool(2).call(lambda: main(table))
    assert len(set(table)) == 2
    with pytest.raises(ZeroDivisionError):
        ThreadPool(2).call(lambda: print(1 / 0))
