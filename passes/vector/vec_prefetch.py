"""Ask for the lines of a stream before the loop that reads it gets there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import var
from lamina.dialects.index import IndexAttr
from lamina.dialects.loop import ForOp
from lamina.dialects.vector import LoadOp, PrefetchOp
from lamina.passes.vector._memory import distance, ranges_of

LINE = 64
"""bytes of a cache line"""


def element_bytes(load: LoadOp) -> int:
    """Size of an element of the buffer."""
    element = load.memref.element_type
    assert isinstance(element, FixedBitwidthType), element
    return element.size


def step_bytes(load: LoadOp, nest: ForOp) -> int:
    """How far each step of the innermost loop moves the load; 0 if that varies."""
    innermost = nest.indices[-1]
    if innermost not in load.indices:
        return 0
    position = str(list(load.indices).index(innermost))
    return abs(load.offset.coefficient(position) or 0) * element_bytes(load)


def is_stream(load: LoadOp, nest: ForOp, ahead: int) -> bool:
    """
    Whether each step of the innermost loop reads what follows in memory, and the nest reads so much
    that what lies `ahead` is still its own.
    """
    outside = {str(k): 1 for k, v in enumerate(load.indices) if v not in nest.indices}
    limits = load.offset.bounds({**ranges_of(load), **outside})
    if limits is None or step_bytes(load, nest) < LINE // 2:
        return False
    return (limits[1] - limits[0]) * element_bytes(load) > ahead


def later(load: LoadOp, nest: ForOp, ahead: int) -> IndexAttr:
    """Where the load will be some whole steps later, which move it about `ahead` bytes."""
    position = str(list(load.indices).index(nest.indices[-1]))
    steps = max(1, ahead // step_bytes(load, nest))
    return load.index.map(lambda e: e.substitute({position: var(position) + steps}))


def prefetch(nest: ForOp, ahead: int) -> None:
    """Put a prefetch before each load of a stream; loads from one cache line share it."""
    if any(isinstance(op, PrefetchOp) for op in nest.body.block.ops):
        return  # somebody has decided
    asked: list[LoadOp] = []
    for op in list(nest.body.block.ops):
        if not isinstance(op, LoadOp) or not is_stream(op, nest, ahead):
            continue
        apart = [distance(other, op) for other in asked]
        if any(d is not None and abs(d) * element_bytes(op) < LINE for d in apart):
            continue
        asked.append(op)
        ask = PrefetchOp(op.ref, later(op, nest, ahead), op.indices)
        Rewriter.insert_op(ask, InsertPoint.before(op))


@dataclass(frozen=True)
class VecPrefetchPass(ModulePass):
    """
    In loops that carry values, prefetch what vector loads will read some bytes later.

    %w = vec.load %b[%k, 0] : memref<1024x16xf32> -> vector<16xf32>
    ->  vec.prefetch %b[%k + 64, 0] : memref<1024x16xf32>
        %w = vec.load ...

    Packed weights are such a stream: the machine's own prefetching keeps up with them from the
    second level of cache only in part, and restarts at every page.
    """

    name = "vec-prefetch"
    numerics: ClassVar[str] = "exact"

    ahead: int = 8192
    """about how many bytes ahead: as many as whole steps of the innermost loop move the load"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.ahead < LINE:
            raise PassFailedException(
                f"vec-prefetch: needs at least {LINE} bytes ahead, one cache line, got {self.ahead}"
            )
        for nest in [o for o in op.walk() if isinstance(o, ForOp) and o.inits]:
            prefetch(nest, self.ahead)
