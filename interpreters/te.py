"""
What a tensor expression means: all its spatial points at once, its reduction points in turn.

The reduction runs in the order of the axis list: schedules that keep that order agree bit for bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
from xdsl.dialects.builtin import VectorType
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import InterpretationError

from lamina.dialects import te
from lamina.dialects.expr import Expr
from lamina.interpreters._index import by_name, compiled
from lamina.interpreters.arrays import constant, dtype_of, scalar, show, signless, unwritten
from lamina.interpreters.cost import ELEMENT, STEP, Estimate
from lamina.interpreters.run import Implementation, Run

Points = Mapping[str, Any]  # the value of every name: an int, or an array over the spatial points


class Read:
    """One operand's access: gathers `array[index]` at all points, or `pad` outside the array."""

    def __init__(self, access: te.AccessAttr, element: Attribute):
        self.access, self.pad = access, access.pad
        self.index = compiled(access.index, by_name)
        # a body on groups of 4 reads that many consecutive elements: one more dimension, the last
        self.group = element.get_shape()[0] if isinstance(element, VectorType) else 0
        self.dtype = dtype_of(element)

    def named(self, value: np.ndarray, active: Any) -> dict[str, np.ndarray]:
        """The name of the integers read, if they have one; they must keep what it promises."""
        if self.access.binds is None:
            return {}
        name, extent = self.access.binds
        kept = (value >= 0) & (value < extent)
        broken = active & ~kept
        if np.any(broken):
            first = np.broadcast_to(value, broken.shape)[broken][0]
            raise InterpretationError(
                f"te.compute reads {first} at {self.access}, which promises 0 to {extent - 1}"
            )
        return {name: np.where(kept, value, 0).astype(np.int64)}

    def __call__(self, array: np.ndarray, at: Points, active: Any) -> np.ndarray:
        index = list(self.index(at))
        if self.group:
            *index, last = [np.asarray(i)[..., None] for i in index]
            index.append(last + np.arange(self.group))
        inside = _inside(index, array.shape)
        if inside is None:
            return self._read(array, index)
        if self.pad is None:
            idle = ~np.asarray(active)
            ok = inside | (idle[..., None] if self.group else idle)
            _require(ok, index, array.shape, f"reads {self.access}")
        clipped = [np.clip(i, 0, n - 1) for i, n in zip(index, array.shape, strict=True)]
        read = self._read(array, clipped)
        return np.where(inside, read, scalar(0 if self.pad is None else self.pad, read.dtype))

    def _read(self, array: np.ndarray, index: Sequence[Any]) -> np.ndarray:
        """The elements, of which the body may want those of 16 bits as longer floats."""
        found = array[tuple(index)]
        return found.astype(self.dtype) if array.dtype == np.float16 else found


def _inside(index: Sequence[Any], shape: Sequence[int]) -> np.ndarray | None:
    """Where all of `index` is inside `shape`; None if everywhere: usual, and cheap to see."""
    if all(_low(i) >= 0 and _high(i) < n for i, n in zip(index, shape, strict=True)):
        return None
    per_dim = [(i >= 0) & (i < n) for i, n in zip(map(np.asarray, index), shape, strict=True)]
    return reduce(np.logical_and, per_dim)


def _low(i: Any) -> int:
    return i if isinstance(i, int) else i.min()


def _high(i: Any) -> int:
    return i if isinstance(i, int) else i.max()


def _require(ok: np.ndarray, index: Sequence[Any], shape: Sequence[int], what: str) -> None:
    if not ok.all():
        bad = np.broadcast_arrays(ok, *index)
        first = np.argmin(bad[0])
        where = [int(i.flat[first]) for i in bad[1:]]
        raise InterpretationError(
            f"te.compute {what} at {where}, outside a buffer of {show(shape)}"
        )


class _Bounds:
    def __init__(self, bounds: Sequence[tuple[Expr, int]]):
        self.values = compiled([e for e, _ in bounds], by_name)
        self.limits = [n for _, n in bounds]

    def hold(self, at: Points) -> Any:
        """Where all the bounds hold: True, or an array over the points."""
        each = [v < n for v, n in zip(self.values(at), self.limits, strict=True)]
        return reduce(np.logical_and, each) if each else True


class _Nest:
    """What all executions of one op share: its points, a sparse grid over the spatial axes and the
    reduction in order, and its index expressions, compiled."""

    def __init__(self, op: te.ComputeOp):
        spatial = [a for a in op.axes.data if not a.reduce]
        reduced = [a for a in op.axes.data if a.reduce]
        self.outer = [n.data for n in op.outer.data]
        self.shape = tuple(a.extent for a in spatial)
        grid = np.meshgrid(*(np.arange(n) for n in self.shape), indexing="ij", sparse=True)
        self.grid = dict(zip((a.name for a in spatial), grid, strict=True))
        self.names = [a.name for a in reduced]
        self.extents = [a.extent for a in reduced]
        self.bounds = _Bounds(op.bounds.data)
        inside = [b for b in op.bounds.data if not b[0].names() & set(self.names)]
        self.spatial_bounds = _Bounds(inside)
        types = [
            a.type for a in (*op.body.block.args[: len(op.inputs)], *op.epilogue.block.args[1:])
        ]
        accesses = op.accesses.data
        self.out = accesses[-1]
        reads = [Read(access, type) for access, type in zip(accesses[:-1], types, strict=True)]
        self.inputs, self.extras = reads[: len(op.inputs)], reads[len(op.inputs) :]
        self.out_index = compiled(self.out.index, by_name)

    def steps(self, env: Points) -> Iterator[tuple[dict[str, Any], Any]]:
        """The environment at every reduction point, and which spatial points take part in it."""
        for point in product(*(range(n) for n in self.extents)):
            here = {**env, **dict(zip(self.names, point, strict=True))}
            yield here, self.bounds.hold(here)

    def write(self, out: np.ndarray, env: Points, active: Any, value: Any) -> None:
        """Store `value` at the active points."""
        index = self.out_index(env)
        inside = _inside(index, out.shape)
        if inside is not None:
            _require(inside | ~np.asarray(active), index, out.shape, f"writes {self.out}")
        every = np.broadcast_arrays(np.zeros(self.shape, bool), active, value, *index)
        _, active, value, *index = every
        if active.all():
            _store(out, index, value)
        else:
            _store(out, [i[active] for i in index], value[active])


def _store(out: np.ndarray, index: Sequence[Any], value: np.ndarray) -> None:
    """Rounded, if elements are shorter floats: what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        out[tuple(index)] = value


def _compute(run: Run, op: te.ComputeOp, args: Sequence[Any]) -> Sequence[Any]:
    """acc = init; at every reduction point, acc = body(inputs, acc); out = epilogue(acc, extras)"""
    nest: _Nest = run.once(op, lambda: _Nest(op))
    first = len(nest.outer)
    *buffers, out = map(signless, args[first:])
    inputs, extras = buffers[: len(nest.inputs)], buffers[len(nest.inputs) :]
    env = {**nest.grid, **dict(zip(nest.outer, args[:first], strict=True))}
    acc: Any = np.full(nest.shape, constant(op.init))
    for here, active in nest.steps(env):
        read: list[np.ndarray] = []
        for r, x in zip(nest.inputs, inputs, strict=True):
            read.append(r(x, here, active))
            here |= r.named(read[-1], active)
        (new,) = run.block(op.body.block, [*read, acc])
        acc = new if active is True else np.where(active, new, acc)
    active = nest.spatial_bounds.hold(env)
    read = [r(x, env, active) for r, x in zip(nest.extras, extras, strict=True)]
    (value,) = run.block(op.epilogue.block, [acc, *read])
    nest.write(out, env, active, value)
    return ()


def _constant(run: Run, op: te.ConstantOp, args: Sequence[Any]) -> Sequence[Any]:
    table = unwritten(op.res.type)
    table[...] = constant(op.value)
    return (table,)


def _cost(estimate: Estimate, op: te.ComputeOp) -> float:
    """A reduction point costs its gathers, as a rule of few points, and its body at all points."""
    spatial = float(np.prod([a.extent for a in op.axes.data if not a.reduce]))
    reduced = float(np.prod([a.extent for a in op.axes.data if a.reduce]))
    masks = 3 * len(op.bounds.data)
    body, epilogue = (len(list(r.block.ops)) - 1 + masks for r in (op.body, op.epilogue))
    on_all_points = STEP + spatial * ELEMENT
    reduction = 10 * STEP * len(op.inputs) + body * on_all_points
    after = 10 * STEP * (len(op.extras) + 2) + (epilogue + 10) * on_all_points
    return reduced * reduction + after


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    te.ComputeOp: _compute,
    te.ConstantOp: _constant,
}
COSTS = {te.ComputeOp: _cost}
