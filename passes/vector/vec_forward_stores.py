"""Use the value that was stored instead of loading it again."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from lamina.dialects.elements import is_rounded
from lamina.dialects.vector import LoadOp, StoreOp, element_of, shape_of
from lamina.passes._aliasing import may_write
from lamina.passes.vector._memory import distance


def overwrites(op: Operation, store: StoreOp) -> bool:
    """Whether `op` may change an element that `store` wrote."""
    if not may_write(op, store.ref):
        return False
    if not isinstance(op, StoreOp) or (apart := distance(store, op)) is None:
        return True
    return -_size(op) < apart < _size(store)


def _size(store: StoreOp) -> int:
    return prod(shape_of(store.value.type))


def _rounds(store: StoreOp) -> bool:
    return is_rounded(element_of(store.value.type), store.memref.element_type)


def forward(block: Block) -> None:
    """Replace each load of `block` that reads exactly what a store before it in `block` wrote."""
    stores: list[StoreOp] = []  # whose elements are still what they stored
    for op in list(block.ops):
        if isinstance(op, LoadOp):
            for store in stores:
                if store.value.type == op.res.type and distance(store, op) == 0:
                    Rewriter.replace_op(op, [], [store.value])
                    break
        else:
            stores = [store for store in stores if not overwrites(op, store)]
            stores += [op] if isinstance(op, StoreOp) and not _rounds(op) else []


@dataclass(frozen=True)
class VecForwardStoresPass(ModulePass):
    """
    Use the value that was stored instead of loading it again: inside one block, where place and
    type are equal and nothing between the two may write there. Not what is rounded when it is
    stored.

    vec.store %v, %t[%i] .. %w = vec.load %t[%i] .. f(%w)  ->  vec.store %v, %t[%i] .. f(%v)
    """

    name = "vec-forward-stores"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for block in [b for o in op.walk() for r in o.regions for b in r.blocks]:
            forward(block)
