"""Which values of a network would lie in which buffers, and how much memory that takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

from xdsl.ir import Block, Operation, SSAValue

from lamina.dialects.graph import ConstantOp, RelayoutOp
from lamina.passes.graph._formula import storage_type
from lamina.passes.graph._scratch import element_size
from lamina.passes.graph._views import origin, source
from lamina.passes.graph.assign_halos import may_write_halo, window_users
from lamina.passes.graph.fuse_epilogues import ROOTS, can_join


def bytes_of(value: SSAValue) -> int:
    """What a value takes in memory; nothing if its only reader goes on in the same kernel."""
    users = [use.operation for use in value.uses]
    if isinstance(value.owner, ROOTS) and len(users) == 1 and can_join(users[0], value):
        return 0
    type = storage_type(value.type)
    return prod(type.get_shape()) * element_size(type)


def is_weight(op: Operation) -> bool:
    """Whether what `op` makes is known now: a constant, also one that `pack-weights` will store."""
    packed = isinstance(op, RelayoutOp) and isinstance(op.x.owner, ConstantOp)
    return packed or isinstance(op, ConstantOp)


class Storage:
    """The bytes that hold some values, and the steps from the first to the last that uses them."""

    def __init__(self, value: SSAValue, step: int, *, outside: bool) -> None:
        self.size = 0 if outside else bytes_of(value)
        """none if it is not the network's own, as its inputs, weights and outputs are"""
        self.first = self.last = step
        self.wants_halo, self.may_have_halo = False, True

    def add(self, value: SSAValue) -> None:
        """Note that `value` lies here."""
        self.wants_halo |= bool(window_users(value))
        self.may_have_halo &= may_write_halo(value)

    @property
    def keeps_halo(self) -> bool:
        """Whether what is written here has the halo that windows want."""
        return self.wants_halo and self.may_have_halo


class Storages:
    """The storage of each value of a network, and how much memory they take at a time."""

    def __init__(self, block: Block) -> None:
        last = block.last_op
        self.results = {origin(x) for x in last.operands} if last is not None else set[SSAValue]()
        self.of: dict[SSAValue, Storage] = {}
        self.steps = 0
        for arg in block.args:
            self.of[arg] = Storage(arg, 0, outside=True)
            self.of[arg].add(arg)
        for self.steps, op in enumerate(block.ops):
            for x in op.operands:
                self.of[x].last = self.steps
            for y in op.results:
                if (first := source(y)) is not y:
                    self.of[y] = self.of[first]
                else:
                    outside = is_weight(op) or y in self.results
                    self.of[y] = Storage(y, self.steps, outside=outside)
                self.of[y].add(y)
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
        """
        Let `parts` and all that lies with them lie in `whole`, unless that costs memory, or makes a
        window read a copy with a halo.
        """
        outer, inner = self.of[whole], list(dict.fromkeys(self.of[part] for part in parts))
        those = [outer, *inner]
        if any(s.keeps_halo for s in those) and not all(s.may_have_halo for s in those):
            return False
        before = outer.first, outer.last
        outer.first, outer.last = min(s.first for s in those), max(s.last for s in those)
        others = [s for s in self.all if s not in inner]
        if self.peak(others) > self.limit:
            outer.first, outer.last = before
            return False
        outer.wants_halo = any(s.wants_halo for s in those)
        outer.may_have_halo = all(s.may_have_halo for s in those)
        self.all = others
        self.of |= {value: outer for value, s in self.of.items() if s in inner}
        return True

    def is_own(self, value: SSAValue) -> bool:
        """Whether a kernel writes `value`, as a whole, for none but other kernels to read."""
        first = origin(value)
        if isinstance(first.owner, Block) or is_weight(first.owner):
            return False
        return source(value) is first and first not in self.results
