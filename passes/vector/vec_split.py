"""Cut vectors that are wider than the machine's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, ModuleOp, VectorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp, IfOp, YieldOp
from lamina.dialects.vector import (
    GatherOp,
    LoadOp,
    LoadRunOp,
    LoadSplatOp,
    LoadStridedOp,
    MemoryOp,
    SplatLaneOp,
    StoreOp,
    StoreStridedOp,
    element_of,
    shape_of,
)
from lamina.passes.loop._nests import hints_of
from lamina.passes.loop._reindex import set_index
from lamina.passes.vector._memory import shifted

Parts = dict[SSAValue, list[SSAValue]]


@dataclass
class Cutter:
    """Copies blocks, with every vector of more than `lanes` lanes as several of `lanes`."""

    lanes: int
    by: str
    parts: Parts = field(default_factory=dict[SSAValue, list[SSAValue]])

    def count(self, type: Attribute) -> int:
        """Into how many parts a value of this type is cut."""
        if not (shape := shape_of(type)) or shape[0] <= self.lanes:
            return 1
        if shape[0] % self.lanes:
            raise PassFailedException(
                f"{self.by}: {type} cannot be cut into vectors of {self.lanes} lanes; "
                f"lanes must divide {shape[0]}"
            )
        return shape[0] // self.lanes

    def narrow(self, type: Attribute) -> Attribute:
        """The type of one part."""
        if self.count(type) == 1:
            return type
        return VectorType(element_of(type), [self.lanes, *shape_of(type)[1:]])

    def of(self, value: SSAValue) -> list[SSAValue]:
        """The parts of a value; one from outside of what is copied is itself."""
        return self.parts.get(value, [value])

    def flat(self, values: Sequence[SSAValue]) -> list[SSAValue]:
        """All parts of all values."""
        return [part for v in values for part in self.of(v)]

    def copy(self, body: Block, into: Block) -> None:
        """Copy the ops of `body`."""
        for op in body.ops:
            if isinstance(op, ForOp):
                into.add_op(self.cut_loop(op))
            elif isinstance(op, IfOp):
                into.add_op(self.cut_choice(op))
            elif isinstance(op, YieldOp):
                into.add_op(YieldOp(self.flat(op.operands)))
            else:
                into.add_ops(self.cut(op))

    def cut_loop(self, op: ForOp) -> ForOp:
        """loop.for iter(%a) : vector<16xf32>  ->  loop.for iter(%a, %b) : vector<8xf32>"""
        hints = hints_of([*op.indices, *(v for v in op.carried for _ in range(self.count(v.type)))])
        new = ForOp(op.extents.get_values(), self.flat(op.inits), op.mapping.data, hints=hints)
        self.parts.update((i, [j]) for i, j in zip(op.indices, new.indices, strict=True))
        for old, values in ((op.carried, new.carried), (op.res, new.res)):
            todo = iter(values)
            self.parts.update((v, [next(todo) for _ in range(self.count(v.type))]) for v in old)
        self.copy(op.body.block, new.body.block)
        return new

    def cut_choice(self, op: IfOp) -> IfOp:
        """loop.if %i < 2 { a } else { b }  ->  the same of their copies"""
        bodies = [Block(), Block()]
        for old, new in zip((op.below, op.rest), bodies, strict=True):
            self.copy(old.block, new)
        (index,) = self.of(op.index)
        return IfOp(index, op.limit.data, Region(bodies[0]), Region(bodies[1]))

    def cut(self, op: Operation) -> list[Operation]:
        """The copies of `op`, one for each part of its vectors."""
        inner = op.walk() if op.regions else (op,)
        values = [v for o in inner for v in (*o.operands, *o.results)]
        counts = {self.count(v.type) for v in values} - {1}
        if isinstance(op, LoadSplatOp | SplatLaneOp) and counts:
            return [self.cut_splat(op, *counts)]
        if not counts:
            return [self.part(op, 0, 1)]
        elementwise = is_side_effect_free(op) and not op.regions and len(counts) == 1
        if not elementwise and (isinstance(op, LoadRunOp) or not isinstance(op, MemoryOp)):
            types = ", ".join(str(v.type) for v in (*op.operands, *op.results))
            raise PassFailedException(
                f"{self.by}: {op.name} on {types} cannot be cut into vectors of {self.lanes} lanes"
            )
        (n,) = counts
        return [self.part(op, k, n) for k in range(n)]

    def part(self, op: Operation, k: int, n: int) -> Operation:
        """The k-th of the n parts of `op`."""
        mapper = {v: parts[k] if len(parts := self.of(v)) == n else parts[0] for v in op.operands}
        new = op.clone(mapper) if op.regions or n == 1 else self._narrowed(op, mapper)
        if n > 1 and isinstance(new, arith.ConstantOp):
            new.properties["value"] = self._slice(op, k)
        if n > 1 and isinstance(op, MemoryOp) and isinstance(new, MemoryOp):
            set_index(new, shifted(op, k * self._step(op)), list(new.indices))
        for old, value in zip(op.results, new.results, strict=True):
            value.name_hint = old.name_hint
            self.parts.setdefault(old, []).append(value)
        return new

    def _narrowed(self, op: Operation, mapper: dict[SSAValue, SSAValue]) -> Operation:
        return type(op).create(
            operands=[mapper[v] for v in op.operands],
            result_types=[self.narrow(r.type) for r in op.results],
            properties=op.properties.copy(),
            attributes=op.attributes.copy(),
        )

    def cut_splat(self, op: LoadSplatOp | SplatLaneOp, n: int) -> Operation:
        """All lanes are equal: one part stands for all."""
        if isinstance(op, SplatLaneOp):
            part, lane = divmod(op.lane.data, self.lanes)
            new = SplatLaneOp(self.of(op.vec)[part], lane)
        else:
            indices = self.flat(op.indices)
            new = LoadSplatOp(self.of(op.ref)[0], op.index, indices, self.narrow(op.res.type))
        new.res.name_hint = op.res.name_hint
        self.parts[op.res] = [new.res] * n
        return new

    def _step(self, op: MemoryOp) -> int:
        """How many elements of memory one part is behind the one before."""
        if isinstance(op, LoadStridedOp | StoreStridedOp):
            return self.lanes * op.stride.data
        if isinstance(op, GatherOp):
            return 0  # the lanes say where
        assert isinstance(op, LoadOp | StoreOp)
        type = op.value.type if isinstance(op, StoreOp) else op.res.type
        return self.lanes * prod(shape_of(type)[1:])

    def _slice(self, op: Operation, k: int) -> Attribute:
        assert isinstance(op, arith.ConstantOp)
        assert isinstance(op.value, DenseIntOrFPElementsAttr)
        type = cast(VectorType[AnyFloat], self.narrow(op.result.type))
        size = prod(type.get_shape())
        numbers = cast(Sequence[float], op.value.get_values())[k * size : (k + 1) * size]
        return DenseIntOrFPElementsAttr.from_list(type, numbers)


@dataclass(frozen=True)
class VecSplitPass(ModulePass):
    """
    Cut every vector of more than `lanes` lanes into several of `lanes`.

    For kernels written for wider vectors than the machine has. What is the same in all lanes is
    loaded once.

    vec.store %v, %y[%i, 0] : vector<16xf32>, memref<4x16xf32>
    ->
    vec.store %v0, %y[%i, 0] : vector<8xf32>, .. vec.store %v1, %y[%i, 8] : vector<8xf32>, ..
    """

    name = "vec-split"
    numerics: ClassVar[str] = "exact"

    lanes: int
    """how many lanes the widest vector may have"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.lanes < 1:
            raise PassFailedException(f"{self.name}: lanes must be at least 1, got {self.lanes}")
        for f in [f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration]:
            cutter = Cutter(self.lanes, self.name)
            for type in (*f.function_type.inputs, *f.function_type.outputs):
                if cutter.count(type) > 1:
                    raise PassFailedException(
                        f"{self.name}: @{f.sym_name.data} takes or returns {type}; "
                        "hand vectors over in buffers"
                    )
            old, new = f.body.block, Block(arg_types=[a.type for a in f.body.block.args])
            for a, b in zip(old.args, new.args, strict=True):
                b.name_hint = a.name_hint
                cutter.parts[a] = [b]
            cutter.copy(old, new)
            f.body.erase_block(old, safe_erase=False)
            f.body.add_block(new)
