"""
The threads that models run on: Python's side of `runtime/thread_pool.h`.

A thread pool is shared by all models of the process that want as many threads, and its threads end
when no model is left that has it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary, finalize

from lamina.backends.cpu.cores import Claim
from lamina.errors import LaminaError

LIBRARIES = {"lamina": "lamina_thread_pool.so", "openmp": "lamina_openmp.so"}
"""$LAMINA_POOL -> the file in `runtime`: ours, or OpenMP's threads, to compare"""

PARALLEL = "lamina_parallel"
"""what compiled code calls: `void (void (*step)(void *context, int64_t index), void *context,
int64_t steps)` returns when `step` has run for each index below `steps`, on any thread, in any
order"""


class ThreadPool:
    """
    Some threads, of which the caller of `run` is one. With `bind` each stays on a core of its own,
    the caller while it runs a model, if there are so many that no other process has claimed.
    """

    def __init__(self, threads: int, bind: bool = False) -> None:
        self.threads = threads
        self._library = library()
        self._claim = Claim()
        self.bound = bind and self._claim.take(threads)
        places = (ctypes.c_int * threads)(*self._claim.cpus) if self.bound else None
        self._handle = self._library.lamina_pool_create(threads, places)
        if not self._handle:
            raise LaminaError(f"the system gives this process no {threads - 1} threads more")
        # not at exit: the system ends threads, and a daemon thread may still be running a model
        finalize(self, self._library.lamina_pool_destroy, self._handle).atexit = False

    @classmethod
    def shared(cls, threads: int, bind: bool = False) -> ThreadPool:
        """The one of this process that has so many threads, bound or not."""
        with _lock:
            found = _shared.get((threads, bind))
            if found is None:
                found = cls(threads, bind)
                _shared[threads, bind] = found
            return found

    def run(self, entry: int, table: ctypes.Array[ctypes.c_void_p]) -> None:
        """Call the function at address `entry` with a table of pointers."""
        self._library.lamina_pool_run(self._handle, entry, table)

    def call(self, function: Callable[[], None]) -> None:
        """Call a Python function; compiled code that it calls uses the threads."""
        failed = list[BaseException]()

        def entry(_: object) -> None:
            try:
                function()
            except BaseException as e:
                failed.append(e)

        self._library.lamina_pool_run(self._handle, _ENTRY(entry), None)
        if failed:
            raise failed[0]


_ENTRY = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_shared = WeakValueDictionary[tuple[int, bool], ThreadPool]()
_lock = Lock()


@cache
def library() -> ctypes.CDLL:
    """The C++ library that $LAMINA_POOL names, loaded once."""
    found = ctypes.CDLL(str(library_path(os.environ.get("LAMINA_POOL", "lamina"))))
    pointer = ctypes.c_void_p
    found.lamina_pool_create.argtypes = ctypes.c_int, ctypes.POINTER(ctypes.c_int)
    found.lamina_pool_create.restype = pointer
    found.lamina_pool_destroy.argtypes = (pointer,)
    found.lamina_pool_destroy.restype = None
    found.lamina_pool_run.argtypes = pointer, pointer, pointer
    found.lamina_pool_run.restype = None
    return found


def library_path(name: str) -> Path:
    """The file of a library; it is built with the package."""
    if name not in LIBRARIES:
        raise LaminaError(f"LAMINA_POOL may be {' or '.join(LIBRARIES)}, found '{name}'")
    path = Path(__file__).parent / "runtime" / LIBRARIES[name]
    if not path.is_file():
        raise LaminaError(
            f"{path} is not built: run `python setup.py build_ext --inplace` beside setup.py"
            + (", or use threads=1" if name == "lamina" else ", with a compiler that has OpenMP")
        )
    return path


def parallel_address() -> int:
    """Where `lamina_parallel` is."""
    found = ctypes.cast(library().lamina_parallel, ctypes.c_void_p).value
    assert found is not None
    return found
