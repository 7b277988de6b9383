"""Loops and vectors, one iteration and one op at a time. A vector's first dimension: its lanes."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects import scf
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import InterpretationError

from lamina.dialects import loop, vector
from lamina.interpreters._index import by_position, compiled
from lamina.interpreters.arrays import dtype_of, put, shape_of, show, signless
from lamina.interpreters.cost import STEP, Estimate
from lamina.interpreters.memory import check_index
from lamina.interpreters.run import Implementation, Run

Load = vector.LoadOp | vector.LoadStridedOp
Strided = vector.LoadStridedOp | vector.StoreStridedOp


def _for(run: Run, op: loop.ForOp, args: Sequence[Any]) -> Sequence[Any]:
    """A parallel nest runs backwards: one whose iterations depend on each other is found out."""
    first, *others = map(range, op.extents.get_values())
    if op.mapping.data == "parallel":
        first, *others = (r[::-1] for r in (first, *others))
    carried = tuple(args)
    for i in first:
        for point in product(*others):
            carried = run.block(op.body.block, (i, *point, *carried))
    return carried


def _if(run: Run, op: loop.IfOp, args: Sequence[Any]) -> Sequence[Any]:
    body = op.below if args[0] < op.limit.data else op.rest
    return run.block(body.block, ())


def _choose(run: Run, op: scf.IfOp, args: Sequence[Any]) -> Sequence[Any]:
    return run.block((op.true_region if args[0] else op.false_region).block, ())


class _Place:
    """Where a memory op reads or writes: lanes at a stride, in each a group of elements."""

    def __init__(self, op: vector.MemoryOp, shape: Sequence[int]):
        self.op = op
        self.index = compiled(op.index.data, by_position)
        self.lanes = shape[0] if shape else 1
        self.group = prod(shape[1:])
        self.stride = op.stride.data if isinstance(op, Strided) else self.group
        self.span = (self.lanes - 1) * self.stride + self.group
        self.shape = (self.lanes, self.group)

    def elements(self, array: np.ndarray, indices: Sequence[Any]) -> np.ndarray:
        """This execution's part of the buffer, as a view with one row a lane."""
        index, start = self.index(indices), 0
        for i, n in zip(index, array.shape, strict=True):
            if not 0 <= i < n:
                check_index(self.op, index, array)
            start = start * n + i
        if not array.flags.c_contiguous:
            return self._strided(array, index)
        if start + self.span > array.size:
            self._fail(index, array)
        if self.stride == self.group:
            return array.reshape(-1)[start : start + self.span].reshape(self.shape)
        return self._rows(array, index)

    def _strided(self, array: np.ndarray, index: Sequence[int]) -> np.ndarray:
        steps = [s // array.itemsize for s in array.strides]
        start = sum(i * s for i, s in zip(index, steps, strict=True))
        if start + self.span > 1 + sum(
            (n - 1) * s for n, s in zip(array.shape, steps, strict=True)
        ):
            self._fail(index, array)
        return self._rows(array, index)

    def _rows(self, array: np.ndarray, index: Sequence[int]) -> np.ndarray:
        first, size = array[tuple(slice(i, i + 1) for i in index)], array.itemsize
        return np.lib.stride_tricks.as_strided(first, self.shape, (self.stride * size, size))

    def _fail(self, index: Sequence[int], array: np.ndarray) -> None:
        where = ", ".join(map(str, index))
        raise InterpretationError(
            f"{self.op.name} of {self.span} elements from [{where}] on, "
            f"beyond the end of a buffer of {show(array.shape)}"
        )


def _load(run: Run, op: Load, args: Sequence[Any]) -> Sequence[Any]:
    place, shape = run.once(op, lambda: (_Place(op, s := shape_of(op.res.type)), s))
    found = place.elements(signless(args[0]), args[1:]).reshape(shape)
    return (_lanes(found, op.res)[()],)


def _lanes(elements: np.ndarray, res: SSAValue) -> np.ndarray:
    """A copy of elements as lanes, which may be longer floats."""
    return elements.astype(dtype_of(res.type) if elements.dtype == np.float16 else elements.dtype)


def _load_run(run: Run, op: vector.LoadRunOp, args: Sequence[Any]) -> Sequence[Any]:
    """All vectors as one that is as long as they are together, cut into its parts."""
    place, shape = run.once(op, lambda: _run_place(op))
    found = place.elements(signless(args[0]), args[1:]).reshape(shape)
    return tuple(_lanes(found, op.res[0]))


def _run_place(op: vector.LoadRunOp) -> tuple[_Place, tuple[int, ...]]:
    shape, count = shape_of(op.res[0].type), len(op.res)
    return _Place(op, (count * shape[0], *shape[1:])), (count, *shape)


def _load_splat(run: Run, op: vector.LoadSplatOp, args: Sequence[Any]) -> Sequence[Any]:
    """One element in every lane; one group of consecutive elements if a lane is a group."""
    place, shape = run.once(op, lambda: _splat_place(op))
    array = signless(args[0])
    value = np.empty(shape, array.dtype)
    value[...] = place.elements(array, args[1:]).reshape(shape[1:])
    return (_lanes(value, op.res),)


def _splat_place(op: vector.LoadSplatOp) -> tuple[_Place, tuple[int, ...]]:
    shape = shape_of(op.res.type)
    return _Place(op, (1, *shape[1:])), shape


def _gather(run: Run, op: vector.GatherOp, args: Sequence[Any]) -> Sequence[Any]:
    """The index may lie outside the buffer, but no element that is read."""
    lanes, array, *indices = args
    index = run.once(op, lambda: compiled(op.index.data, by_position))
    shape = shape_of(op.res.type)
    steps = [s // array.itemsize for s in array.strides]
    start = sum(i * s for i, s in zip(index(indices), steps, strict=True))
    at = start + lanes.astype(np.int64).reshape(-1, 1) + np.arange(prod(shape[1:]))
    end = 1 + sum((n - 1) * s for n, s in zip(array.shape, steps, strict=True))
    if at.min() < 0 or at.max() >= end:
        raise InterpretationError(
            f"{op.name} of elements {at.min()} to {at.max()}, "
            f"outside a buffer of {show(array.shape)}"
        )
    flat = np.lib.stride_tricks.as_strided(array, (end,), (array.itemsize,))
    return (_lanes(flat[at].reshape(shape), op.res),)


def _store(run: Run, op: vector.StoreOp, args: Sequence[Any]) -> Sequence[Any]:
    value, array, *indices = args
    place = run.once(op, lambda: _Place(op, shape_of(op.value.type)))
    put(place.elements(signless(array), indices), np.reshape(value, place.shape))
    return ()


def _store_strided(run: Run, op: vector.StoreStridedOp, args: Sequence[Any]) -> Sequence[Any]:
    """In the order of the lanes, which matters where groups overlap."""
    value, array, *indices = args
    place = run.once(op, lambda: _Place(op, shape_of(op.value.type)))
    for row, lane in zip(place.elements(signless(array), indices), value, strict=True):
        put(row, lane)
    return ()


def _splat_lane(run: Run, op: vector.SplatLaneOp, args: Sequence[Any]) -> Sequence[Any]:
    x = args[0]
    return (np.broadcast_to(x[op.lane.data], x.shape).copy(),)


def _shuffle(run: Run, op: vector.ShuffleOp, args: Sequence[Any]) -> Sequence[Any]:
    return (np.concatenate(args)[list(op.lanes.get_values())],)


def _cost(estimate: Estimate, op: loop.ForOp) -> float:
    return STEP + prod(op.extents.get_values()) * estimate.block(op.body.block)


def _cost_of_choice(estimate: Estimate, op: loop.IfOp) -> float:
    return STEP + max(estimate.block(op.below.block), estimate.block(op.rest.block))


def _cost_of_branch(estimate: Estimate, op: scf.IfOp) -> float:
    return STEP + max(estimate.block(r.block) for r in op.regions)


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    loop.ForOp: _for,
    loop.IfOp: _if,
    scf.IfOp: _choose,
    vector.LoadOp: _load,
    vector.LoadRunOp: _load_run,
    vector.LoadSplatOp: _load_splat,
    vector.LoadStridedOp: _load,
    vector.GatherOp: _gather,
    vector.StoreOp: _store,
    vector.StoreStridedOp: _store_strided,
    vector.SplatLaneOp: _splat_lane,
    vector.ShuffleOp: _shuffle,
    vector.PrefetchOp: lambda run, op, args: (),
    vector.BarrierOp: lambda run, op, args: (),
}
COSTS = {loop.ForOp: _cost, loop.IfOp: _cost_of_choice, scf.IfOp: _cost_of_branch}
