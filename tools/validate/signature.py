"""
What a function takes and gives, whatever level it is on.

A *slot* is an array that a caller supplies: an argument that is no weight, arena or scratch buffer.
A function on tensors has its results; one on memrefs leaves its results in its slots. So both map
slots to arrays, and `Conversion` says how those of one function become those of what a pass made
of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import IndexType, MemRefType, TensorType
from xdsl.ir import Attribute, SSAValue

from lamina.dialects import te, vector
from lamina.dialects.graph import layout_of
from lamina.dialects.layout import Layout
from lamina.interpreters.arrays import unwritten
from lamina.interpreters.run import role_of

Functions = Mapping[str, func.FuncOp]


class Incompatible(Exception):
    """Arrays for one function mean nothing to the other; the message says why."""


@dataclass(frozen=True)
class Signature:
    """The types of a function's slots and results."""

    slots: tuple[Attribute, ...]
    results: tuple[Attribute, ...]
    """empty on memrefs"""
    roles: tuple[str, ...]
    """of all arguments"""

    @staticmethod
    def of(f: func.FuncOp) -> Signature:
        """The signature of `f`."""
        types = f.function_type.inputs.data
        marks = f.arg_attrs.data if f.arg_attrs else ()
        roles = tuple(role_of(a.data) for a in marks) or ("",) * len(types)
        slots = (t for t, role in zip(types, roles, strict=True) if is_slot(role))
        return Signature(tuple(slots), tuple(f.function_type.outputs.data), roles)

    @property
    def on_tensors(self) -> bool:
        """Whether results are returned."""
        return bool(self.results)

    def unsupported(self) -> str | None:
        """Why no inputs can be made up for it; None if they can."""
        for type in (*self.slots, *self.results):
            if isinstance(type, IndexType):
                return "it takes an index, whose range is not known"
            if (
                not isinstance(type, TensorType | MemRefType)
                or min(type.get_shape(), default=0) < 0
            ):
                return f"it takes or gives {type}, which is no array of a known shape"
        if self.results and any(isinstance(t, MemRefType) for t in self.slots):
            return "it both returns values and takes memrefs"
        return None


def is_slot(role: str) -> bool:
    """Whether the caller supplies an argument of this role."""
    return role in ("", "input", "output")


class Conversion:
    """From the slots and results of one function to those of what it became."""

    def __init__(self, before: Signature, after: Signature):
        self.stores: list[Layout | None] = []
        """by slot of `after`: how it stores a tensor of `before`; None: as it is"""
        old = before.slots if not before.on_tensors or after.on_tensors else (
            *before.slots, *before.results
        )  # fmt: skip
        if len(old) != len(after.slots):
            raise Incompatible(f"it took {len(old)} arrays and takes {len(after.slots)}")
        self.stores = [_stored(o, n) for o, n in zip(old, after.slots, strict=True)]
        if after.on_tensors:
            if len(before.results) != len(after.results):
                raise Incompatible("it returns another number of values")
            for o, n in zip(before.results, after.results, strict=True):
                _stored(o, n)
        self.before, self.after = before, after

    def slots(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What to call `after` with."""
        types = self.after.slots[len(arrays) :]  # results that have become arguments
        given = [_store(x, s) for x, s in zip(arrays, self.stores, strict=False)]
        return given + [unwritten(type) for type in types]

    def results(self, slots: Sequence[np.ndarray], results: Sequence[np.ndarray]) -> Expected:
        """What `after` must compute, given what `before` was called with and what it computed."""
        if self.after.on_tensors or not self.before.on_tensors:
            return [(r, None) for r in results]
        values = zip((*slots, *results), self.stores, strict=True)
        return [(_store(x, s), _written(x.shape, s)) for x, s in values]

    def back(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What `after` computed, as `before` would have given it."""
        if self.after.on_tensors or not self.before.on_tensors:
            return list(arrays)
        first = len(self.before.slots)
        shapes = [t.get_shape() for t in self.before.results if isinstance(t, TensorType)]
        behind = zip(arrays[first:], self.stores[first:], shapes, strict=True)
        return [x if s is None else s.invert_array(x, shape) for x, s, shape in behind]


Expected = list[tuple[np.ndarray, np.ndarray | None]]
"""an array, and where in it the numbers matter; None: everywhere"""


def _stored(old: Attribute, new: Attribute) -> Layout | None:
    """How storage of type `new` holds what `old` is; fails if it does not."""
    if old == new:
        return None
    if isinstance(old, TensorType) and old.element_type == getattr(new, "element_type", None):
        if isinstance(new, TensorType) and old.get_shape() == new.get_shape():
            return None  # another layout: no other numbers
        layout = layout_of(old)
        if isinstance(new, MemRefType) and new.get_shape() == layout.apply_shape(old.get_shape()):
            return layout
    raise Incompatible(f"{old} became {new}")


def _store(x: np.ndarray, layout: Layout | None) -> np.ndarray:
    return x if layout is None else layout.apply_array(x)


def _written(shape: Sequence[int], layout: Layout | None) -> np.ndarray | None:
    """
    Where storage has numbers that matter: the tensor's own, and the zeros of its halo, which
    readers rely on. What fills up the last block of a dimension is nobody's.
    """
    if layout is None:
        return None
    whole = [n + sum(layout.sides(i)) for i, n in enumerate(shape)]
    return layout.with_halo(()).apply_array(np.ones(whole, bool))


def is_read(value: SSAValue, functions: Functions) -> bool:
    """Whether anything reads the buffer `value`; a use that is not known counts as reading."""
    for use in value.uses:
        op, index = use.operation, use.index
        match op:
            case te.ComputeOp() if index == len(op.operands) - 1:
                pass
            case vector.StoreOp() | vector.StoreStridedOp() if index == 1:
                pass
            case memref.StoreOp() | memref.CopyOp() if index == 1:
                pass
            case memref.SubviewOp() | memref.ReinterpretCastOp() | memref.CastOp():
                if is_read(op.results[0], functions):
                    return True
            case func.CallOp():
                callee = functions.get(op.callee.string_value())
                if callee is None or callee.is_declaration:
                    return True
                if is_read(callee.body.block.args[index], functions):
                    return True
            case _:
                return True
    return False


def promised(value: SSAValue, functions: Functions) -> int | None:
    """What the integers in buffer `value` must stay below, from 0 on; None if nobody says so."""
    found: list[int] = []
    for use in value.uses:
        op, index = use.operation, use.index
        inner: int | None = None
        match op:
            case te.ComputeOp() if index >= (first := len(op.outer.data)):
                binds = op.accesses.data[index - first].binds
                inner = binds and binds[1]
            case memref.SubviewOp() | memref.ReinterpretCastOp() | memref.CastOp():
                inner = promised(op.results[0], functions)
            case func.CallOp():
                callee = functions.get(op.callee.string_value())
                if callee is not None and not callee.is_declaration:
                    inner = promised(callee.body.block.args[index], functions)
            case _:
                pass
        found += [inner] if inner else []
    return min(found, default=None)
