"""Which values of a network would lie in which buffers, and how much memory that takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

from xdsl.ir import Block, SSAValue

from lamina.dialects.graph import ConstantOp
from lamina.passes.graph._formula import storage_type
from lamina.passes.graph._scratch import element_size
from lamina.passes.graph._views import origin, source


def bytes_of(value: SSAValue) -> int:
    """What a value takes in memory."""
    type = storage_type(value.type)
    return prod(type.get_shape()) * element_size(type)


class Storage:
    """The bytes that hold some values, and the steps from the first to the last that uses them."""

    def __init__(self, size: int, step: int) -> None:
        self.size = size
        """none if it is not the network's own, as its inputs, weights and outputs are"""
        self.first = self.last = step


class Storages:
    """The storage of each value of a network, and how much memory they take at a time."""

    def __init__(self, block: Block) -> None:
        last = block.last_op
        self.results = {origin(x) for x in last.operands} if last is not None else set[SSAValue]()
        self.of: dict[SSAValue, Storage] = {}
        self.steps = 0
        for arg in block.args:
            self.of[arg] = Storage(0, 0)
        for self.steps, op in enumerate(block.ops):
            for x in op.operands:
                self.of[x].last = self.steps
            for y in op.results:
                if (first := source(y)) is not y:
                    self.of[y] = self.of[first]
                else:
                    outside = isinstance(op, ConstantOp) or y in self.results
                    self.of[y] = Storage(0 if outside else bytes_of(y), self.steps)
        self.all = list(dict.fromkeys(self.of.values()))
        self.limit = self.peak(self.all)

    def peak(self, storages: Sequence[Storage]) -> int:
        """The most bytes in use at any step."""
        change = [0] * (self.steps + 2)
        for s in storages:
            change[s.first] += s.size
            change[s.last + 1] -= s.size
        return max(accumulate(change))

    def place(self, parts: Sequence[SSAValue], whole: SSAValue) -> list[bool]:
        """Let as many of `parts` as possible lie in `whole`; which of them do."""
        if self.merge(parts, whole):
            return [True] * len(parts)
        return [self.merge([part], whole) for part in parts]

    def merge(self, parts: Sequence[SSAValue], whole: SSAValue) -> bool:
        """Let `parts` and all that lies with them lie in `whole`, unless that costs memory."""
        outer, inner = self.of[whole], list(dict.fromkeys(self.of[part] for part in parts))
        before = outer.first, outer.last
        outer.first = min(s.first for s in (outer, *inner))
        outer.last = max(s.last for s in (outer, *inner))
        others = [s for s in self.all if s not in inner]
        if self.peak(others) > self.limit:
            outer.first, outer.last = before
            return False
        self.all = others
        self.of |= {value: outer for value, s in self.of.items() if s in inner}
        return True

    def is_own(self, value: SSAValue) -> bool:
        """Whether a kernel writes `value`, as a whole, for none but other kernels to read."""
        first = origin(value)
        if isinstance(first.owner, Block | ConstantOp):
            return False
        return source(value) is first and first not in self.results
