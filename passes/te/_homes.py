"""
Where the buffers of kernels lie when they are called: in a cache, or not any more.

A network is called again and again. Between two uses of a buffer its other kernels touch other
memory; if that is more than a cache holds, the buffer is gone from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, MemRefType, ModuleOp
from xdsl.ir import SSAValue

from lamina.backends.machine import Machine
from lamina.dialects.te import memref_type
from lamina.passes._aliasing import VIEWS

Home = Literal["l2", "l3", "dram"]
USABLE = 0.83
"""of a cache, before other data gets in the way"""


@dataclass(frozen=True)
class Touch:
    """A kernel uses these bytes of a buffer."""

    root: SSAValue
    begin: int
    end: int

    def meets(self, other: Touch) -> bool:
        """Whether some byte is in both."""
        return self.root is other.root and self.begin < other.end and other.begin < self.end


def homes(module: ModuleOp, machine: Machine) -> dict[str, list[Home]]:
    """For every kernel, where most of its calls find each of its arguments."""
    found: dict[str, list[Counter[Home]]] = {}
    for caller in (op for op in module.ops if isinstance(op, func.FuncOp)):
        calls = [op for op in caller.walk() if isinstance(op, func.CallOp)]
        steps = [[_touch(v) for v in call.arguments] for call in calls]
        for k, call in enumerate(calls):
            counts = found.setdefault(call.callee.string_value(), [Counter() for _ in steps[k]])
            for count, touch in zip(counts, steps[k], strict=True):
                if touch is not None:
                    count[_home(touch, _before(steps, k), machine)] += 1
    return {
        name: [c.most_common(1)[0][0] if c else "l2" for c in counts]
        for name, counts in found.items()
    }


def _before(steps: Sequence[Sequence[Touch | None]], k: int) -> Iterator[Touch]:
    """What was touched before step `k`, the latest first, through one whole round."""
    for step in (*reversed(steps[:k]), *reversed(steps[k:])):
        yield from (touch for touch in reversed(step) if touch is not None)


def _home(touch: Touch, before: Iterable[Touch], machine: Machine) -> Home:
    """By how much else was touched since it was used last."""
    size = touch.end - touch.begin
    seen = {(touch.root, touch.begin, touch.end)}
    for other in before:
        if size > USABLE * machine.l3:
            break
        if other.meets(touch):
            return "l2" if size <= USABLE * machine.l2 else "l3"
        if (key := (other.root, other.begin, other.end)) not in seen:
            seen.add(key)
            size += other.end - other.begin
    return "dram"


def _touch(v: SSAValue) -> Touch | None:
    """The bytes that a value stands for; a view of unknown place is all of its type from there."""
    if not isinstance(v.type, MemRefType):
        return None
    type, offset = memref_type(v), 0
    size = prod(type.get_shape()) * -(-getattr(type.element_type, "bitwidth", 64) // 8)
    while isinstance(v.owner, VIEWS):
        if isinstance(v.owner, memref.ViewOp):
            offset += _constant(v.owner.byte_shift)
        if isinstance(v.owner, memref.SubviewOp):
            offset += _start(v.owner)
        v = v.owner.operands[0]
    return Touch(v, offset, offset + size)


def _start(op: memref.SubviewOp) -> int:
    """How many bytes behind its source a part begins; what is not known counts as none."""
    type = memref_type(op.source)
    steps = zip(op.static_offsets.get_values(), type.get_strides() or (), strict=False)
    elements = sum(n * (s or 0) for n, s in steps if n != DYNAMIC_INDEX)
    return elements * -(-getattr(type.element_type, "bitwidth", 64) // 8)


def _constant(v: SSAValue) -> int:
    if isinstance(v.owner, arith.ConstantOp) and isinstance(n := v.owner.value, IntegerAttr):
        return n.value.data
    return 0
