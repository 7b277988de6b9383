"""
How long kernels take when nothing of theirs is in a cache.

They run in turns, so that what disturbs one disturbs the others. Of its turns the quartile counts
for each, the median of the faster half: nothing but others makes a call slower. Before every call
more is read than the caches hold, and then what is to be near again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from lamina.backends.cpu.artifact import aligned
from lamina.backends.cpu.build import native
from lamina.backends.cpu.entry import dtype_of
from lamina.backends.cpu.peak import reading, zeros_to_read
from lamina.backends.machine import Machine
from lamina.dialects.te import ComputeOp, memref_type

LINE = 64
"""bytes"""
HUGE = 8 << 20
Run = Callable[[], None]
Clock = Callable[[], float]
FEW, FAR = 3, 1.25
"""turns after which a run drops out whose best one took so much longer than the best of all"""
ENOUGH = 0.2
"""seconds: fewer turns for what takes long"""


def take_turns(
    runs: Sequence[Run],
    before: Run,
    rounds: int,
    clock: Clock = time.thread_time,
    enough: float = ENOUGH,
) -> list[float]:
    """The seconds of each run; `before` is done before every call."""
    times = [list[float]() for _ in runs]
    racing, spent = list(range(len(runs))), 0.0
    for turn in range(rounds):
        for k in racing if turn % 2 == 0 else reversed(racing):
            before()
            start = clock()
            runs[k]()
            times[k].append(clock() - start)
        spent += sum(times[k][-1] for k in racing)
        if turn + 1 >= FEW:
            best = min(min(times[k]) for k in racing)
            racing = [k for k in racing if min(times[k]) <= FAR * best]
            if spent > enough and turn + 1 >= 2 * FEW:
                break
    return [_quartile(t) for t in times]


def _quartile(times: Sequence[float]) -> float:
    return median(sorted(times)[: -(-len(times) // 2)])


def emptying(machine: Machine) -> Run:
    """Reads so much that nothing else is left in any cache."""
    return reading(machine, zeros_to_read(machine, 2 * max(machine.l3, 2 * machine.l2)))


def touch(array: np.ndarray) -> None:
    """Read a number of each line of memory."""
    array.view(np.uint8)[::LINE].max()


def runs_of(
    kernels: Sequence[ModuleOp], arrays: Sequence[np.ndarray], machine: Machine
) -> list[Run]:
    """Modules of one function as machine code, all on the same buffers."""
    runs: list[Run] = []
    for module in kernels:
        (call,) = native(module, machine).values()
        runs.append(lambda call=call: call(*arrays))
    return runs


def buffers(module: ModuleOp) -> list[np.ndarray]:
    """
    Memory for the arguments of a module's one function: ordinary numbers, ones for integers, but
    zeros for those that say where to read in others.
    """
    (kernel,) = (f for f in module.ops if isinstance(f, FuncOp))
    places = set(_places(module))
    rng = np.random.default_rng(0)
    sizes = [-(-_bytes(argument) // LINE) * LINE for argument in kernel.args]
    block, end = aligned(sum(sizes) + HUGE), 0  # in huge pages, as the memory of a model is
    found: list[np.ndarray] = []
    for argument, size in zip(kernel.args, sizes, strict=True):
        dtype = dtype_of(memref_type(argument).element_type)
        array = block[end : end + _bytes(argument)].view(dtype)
        if array.dtype == np.float32:
            array[:] = rng.random(len(array), np.float32)
        else:
            array[:] = argument not in places
        found.append(array)
        end += size
    return found


def _places(module: ModuleOp) -> Iterator[SSAValue]:
    for op in module.walk():
        if isinstance(op, ComputeOp):
            yield from (op.operands_in_order[k] for k in op.binders.values())


def _bytes(v: SSAValue) -> int:
    """From the first element to the last one."""
    type = memref_type(v)
    strides = [s or 0 for s in type.get_strides() or ()]
    last = sum((n - 1) * s for n, s in zip(type.get_shape(), strides, strict=True))
    return (last + 1) * np.dtype(dtype_of(type.element_type)).itemsize
