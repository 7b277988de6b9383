"""Cut one index of a nest into blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import constant, var
from lamina.dialects.loop import ForOp, YieldOp
from lamina.passes.loop._nests import hints_of, names_of, nests_with
from lamina.passes.loop._reindex import At, reindex_all, require_address_only


@dataclass(frozen=True)
class Tiling:
    """`index` at position `k` of `loop` in steps of `by`, as two indices with these names."""

    loop: ForOp
    k: int
    by: int
    outer: str
    inner: str

    @property
    def counts(self) -> tuple[int, int]:
        """Whole blocks, and steps left over."""
        return divmod(self.loop.extents.get_values()[self.k], self.by)

    def blocks(
        self, first: int, inits: Sequence[SSAValue], values: dict[SSAValue, SSAValue]
    ) -> ForOp:
        """The nest from index `first` on, over all whole blocks."""
        sizes = [(self.counts[0], self.outer), (self.by, self.inner)]
        return self._part(first, inits, values, sizes, (self.by, 1), 0)

    def tail(
        self, first: int, inits: Sequence[SSAValue], values: dict[SSAValue, SSAValue]
    ) -> ForOp:
        """The nest from index `first` on, over the steps left over."""
        whole, rest = self.counts
        return self._part(first, inits, values, [(rest, self.inner)], (1,), whole * self.by)

    def _part(
        self,
        first: int,
        inits: Sequence[SSAValue],
        values: dict[SSAValue, SSAValue],
        sizes: Sequence[tuple[int, str]],
        steps: Sequence[int],
        start: int,
    ) -> ForOp:
        """A copy of the nest in which the index is start + the sum of steps * new indices."""
        loop, k, n = self.loop, self.k, len(sizes)
        extents, args = list(loop.extents.get_values()), list(loop.body.block.args)
        hints = [*hints_of(args[first:k]), *(name for _, name in sizes), *hints_of(args[k + 1 :])]
        new_extents = [*extents[first:k], *(size for size, _ in sizes), *extents[k + 1 :]]
        new = ForOp(new_extents, inits, loop.mapping.data, hints=hints)
        here, block = k - first, new.body.block
        kept = [*block.args[:here], *block.args[here + n :]]
        values = values | dict(zip([*args[first:k], *args[k + 1 :]], kept, strict=True))
        at = constant(start)
        for j, step in enumerate(steps):
            at = at + var(str(j)) * step
        for op in loop.body.block.ops:
            block.add_op(op.clone(values))
        reindex_all(new, {args[k]: At(at, tuple(block.args[here : here + n]))})
        return new


def tile(tiling: Tiling) -> None:
    """
    loop.for %h < 2, %i < 10, %j < 3  ->  loop.for %h < 2 {
        loop.for %io < 2, %ii < 4, %j < 3 {..}
        loop.for %ii < 2, %j < 3 {..}
    }
    """
    loop, k = tiling.loop, tiling.k
    if not tiling.counts[1]:
        Rewriter.replace_op(loop, tiling.blocks(0, loop.inits, {}))
    elif k == 0 or loop.mapping.data == "parallel":  # in any order: both nests stay perfect
        main = tiling.blocks(0, loop.inits, {})
        tail = tiling.tail(0, main.res, {})
        Rewriter.replace_op(loop, [main, tail], tail.res)
    else:
        args = loop.body.block.args
        hints = hints_of([*args[:k], *loop.carried])
        around = ForOp(loop.extents.get_values()[:k], loop.inits, hints=hints)
        values: dict[SSAValue, SSAValue] = dict(zip(args[:k], around.indices, strict=True))
        main = tiling.blocks(k, around.carried, values)
        tail = tiling.tail(k, main.res, values)
        around.body.block.add_ops([main, tail, YieldOp(tail.res)])
        Rewriter.replace_op(loop, around)


@dataclass(frozen=True)
class LoopTilePass(ModulePass):
    """
    Cut one index of a nest into blocks of `by` steps; the steps that are left over become a nest of
    their own. The order of all iterations stays what it was.

    loop.for %i < 10 { f(%i) }
    ->
    loop.for %io < 2, %ii < 4 { f(%io * 4 + %ii) }
    loop.for %ii < 2 { f(%ii + 8) }
    """

    name = "loop-tile"
    numerics: ClassVar[str] = "exact"

    index: str
    """the name of the index; every nest that has one of this name is cut"""
    by: int
    """how many steps a block has"""
    outer: str = ""
    """the name of the index over blocks; the index's own name and `o` if not given"""
    inner: str = ""
    """the name of the index within a block; the index's own name and `i` if not given"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        outer, inner = self.outer or f"{self.index}o", self.inner or f"{self.index}i"
        nests = nests_with(op, self.index, by=self.name)
        for loop, k in nests:
            n, names = loop.extents.get_values()[k], names_of(loop)
            if not 1 <= self.by <= n:
                raise PassFailedException(
                    f"{self.name}: '{self.index}' of extent {n} cannot be cut into blocks of "
                    f"{self.by}; by must be in 1..{n}"
                )
            if taken := {outer, inner} & set(names) - {self.index}:
                raise PassFailedException(
                    f"{self.name}: the nest ({', '.join(names)}) already has an index "
                    f"'{min(taken)}'; choose other names with outer= and inner="
                )
            require_address_only(loop.indices[k], by=self.name)
        for loop, k in reversed(nests):  # inner nests first: outer ones copy what they hold
            tile(Tiling(loop, k, self.by, outer, inner))
