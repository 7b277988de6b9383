"""Writing the formula of a kernel: te ops over logical indices, storage by substitution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.builder import Builder
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    TensorType,
    f32,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.utils.hints import isa

from lamina.dialects.elements import scalar_of
from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import layout_of, shape
from lamina.dialects.layout import Layout
from lamina.dialects.te import AccessAttr, Axis, ComputeOp, ConstantOp, YieldOp, memref_type

Index = Sequence[Expr]
Formula = Callable[["Scalars", list[SSAValue]], SSAValue]
"""from the scalars read, and for a body the accumulator as the last, to the value"""


def storage_type(type: Attribute) -> MemRefType[Attribute]:
    """The buffer that holds a tensor of this type."""
    assert isinstance(type, TensorType), type
    tensor = cast(TensorType[Attribute], type)
    return MemRefType(tensor.element_type, layout_of(tensor).apply_shape(tensor.get_shape()))


@dataclass(frozen=True)
class Tensor:
    """A tensor inside a kernel: its buffer, its logical shape, and how the one stores the other."""

    buffer: SSAValue
    shape: tuple[int, ...]
    layout: Layout

    @property
    def scalar(self) -> Attribute:
        """The type of an element that was read, or is to be written."""
        return scalar_of(memref_type(self.buffer).element_type)

    @property
    def extents(self) -> tuple[int, ...]:
        """The logical extents that a writer must cover so that every block is written whole."""
        return self.layout.padded(self.shape)

    def at(self, index: Index, ranges: Mapping[str, int], outside: float = 0.0) -> AccessAttr:
        """Read the element at a logical index; what lies beyond the buffer reads as `outside`."""
        stored = self.layout.apply(index)
        limits = [e.bounds(ranges) for e in stored]
        sizes = self.layout.apply_shape(self.shape)
        inside = all(
            b is not None and 0 <= b[0] and b[1] < n for b, n in zip(limits, sizes, strict=True)
        )
        return AccessAttr.of(stored, None if inside else outside)


def number(value: float, type: Attribute) -> FloatAttr | IntegerAttr:
    """A constant of the type of a scalar."""
    if isa(type, AnyFloat):
        return FloatAttr(value, type)
    assert isa(type, IntegerType), type
    return IntegerAttr(signless(int(value), type.width.data), type)


def signless(value: int, bits: int) -> int:
    """An integer as one without sign is printed: 255 of 8 bits is -1. A truth value is 0 or 1."""
    half = 1 << bits - 1
    return (value + half) % (2 * half) - half if bits > 1 else value


class Scalars:
    """Appends scalar arithmetic to a block."""

    def __init__(self, block: Block) -> None:
        self.builder = Builder(InsertPoint.at_end(block))

    def constant(self, value: float, type: Attribute = f32) -> SSAValue:
        """A number."""
        return self.builder.insert(arith.ConstantOp(number(value, type))).result

    def drop_unused(self, constant: SSAValue) -> None:
        """Remove a number that nothing was made of."""
        if isinstance(owner := constant.owner, Operation) and not constant.uses:
            owner.detach()
            owner.erase()

    def __call__(
        self, op: Callable[..., Operation], *arguments: SSAValue | Attribute | str
    ) -> SSAValue:
        """The result of an operation on scalars, with what else its constructor takes."""
        return self.builder.insert(op(*arguments)).results[0]


def region(types: Sequence[Attribute], names: Sequence[str], formula: Formula) -> Region:
    """A region of scalars of these types that yields what `formula` makes of them."""
    block = Block(arg_types=types)
    for arg, name in zip(block.args, names, strict=True):
        arg.name_hint = name
    block.add_op(YieldOp(formula(Scalars(block), list(block.args))))
    return Region(block)


class Kernel:
    """Appends te ops to the function of one kernel."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.tensors: dict[SSAValue, Tensor] = {}

    def bind(self, value: SSAValue, buffer: SSAValue) -> None:
        """Let `buffer` hold the tensor `value`."""
        self.tensors[value] = Tensor(buffer, shape(value), layout_of(value.type))

    def tensor(self, value: SSAValue) -> Tensor:
        """The tensor that holds `value`; a buffer of the kernel's own if it has none yet."""
        if value not in self.tensors:
            self.bind(value, self.allocate(storage_type(value.type)))
        return self.tensors[value]

    def allocate(self, type: MemRefType[Attribute]) -> SSAValue:
        """A buffer that lives as long as the kernel runs."""
        op = memref.AllocOp.get(type.element_type, None, [*type.get_shape()])
        op.memref.name_hint = "t"
        return self.builder.insert(op).memref

    def scratch(
        self, shape: Sequence[int], type: Attribute = f32, layout: Layout | None = None
    ) -> Tensor:
        """A tensor of the kernel's own, plain if no layout is given."""
        layout = layout or Layout.plain(len(shape))
        buffer = self.allocate(MemRefType(type, layout.apply_shape(shape)))
        return Tensor(buffer, tuple(shape), layout)

    def table(self, rows: Sequence[Sequence[float]]) -> Tensor:
        """A small matrix that unrolled code folds into its arithmetic."""
        shape = (len(rows), len(rows[0]))
        values = [float(v) for row in rows for v in row]
        dense = DenseIntOrFPElementsAttr.from_list(TensorType(f32, shape), values)
        buffer = self.builder.insert(ConstantOp(dense)).res
        return Tensor(buffer, shape, Layout.plain(2))

    def compute(
        self,
        axes: Mapping[str, int],
        reads: Sequence[tuple[Tensor, Index]],
        write: tuple[Tensor, Index],
        body: Formula,
        *,
        reduce: Mapping[str, int] | None = None,
        names: Mapping[str, tuple[Tensor, Index, int]] | None = None,
        init: float = 0.0,
        accumulator: Attribute | None = None,
        outside: float = 0.0,
        extras: Sequence[tuple[Tensor, Index]] = (),
        epilogue: Formula | None = None,
        halo: bool = True,
    ) -> None:
        """
        One te op over spatial `axes` and `reduce` axes: from `reads` the body, then the epilogue
        with `extras`, to `write`, which with a halo gets its border too unless `halo` is false. The
        first of `reads` is `outside` where it is read beyond its buffer, others are 0 there.

        Formulas get scalars of the types of the tensors; the accumulator is of the type of what is
        written unless `accumulator` says another, which the epilogue then converts.

        `names` are for the indices of `reads`, and of names after them: each stands for the integer
        that a tensor of i32 or i64 holds at an index, from 0 to below the number behind that.
        """
        reduce, names = reduce or {}, names or {}
        ranges = {**axes, **reduce}
        out, index = write
        integers: list[AccessAttr] = []
        for name, (t, i, extent) in names.items():
            integers.append(t.at(i, ranges).named(name, extent))
            ranges[name] = extent
        beyond = [outside, *[0.0] * len(reads)]
        parts = zip(reads, beyond, strict=False)
        inputs = [*integers, *(t.at(i, ranges, fill) for (t, i), fill in parts)]
        others = [t.at(i, ranges) for t, i in extras]
        total = accumulator or out.scalar
        tensors = [*(t for t, _, _ in names.values()), *(t for t, _ in reads)]
        hints = [*names, *(f"a{k}" if k else "a" for k in range(len(reads))), "acc"]
        after = ["v", *(f"c{k}" if k else "c" for k in range(len(extras)))]
        self.builder.insert(
            ComputeOp(
                axes=[Axis(n, e, reduce=n in reduce) for n, e in {**axes, **reduce}.items()],
                accesses=[*inputs, *others, AccessAttr.of(out.layout.apply(index))],
                init=number(init, total),
                inputs=[t.buffer for t in tensors],
                extras=[t.buffer for t, _ in extras],
                out=out.buffer,
                body=region(
                    [*(t.scalar for t in tensors), total],
                    hints,
                    lambda s, args: body(s, args[len(names) :]),
                ),
                epilogue=region([total, *(t.scalar for t, _ in extras)], after, epilogue)
                if epilogue
                else None,
            )
        )
        if halo:
            self.fill_halo(out)

    def fill_halo(self, out: Tensor) -> None:
        """Write the border of `out`: slabs before and after each dimension that has a halo."""
        whole = list(out.extents)
        for d in range(len(whole)):
            before, after = out.layout.sides(d)
            inner = out.extents[d]
            whole[d] = inner + before + after
            if before == after > 0:  # both slabs in one op
                at = var("side") * (before + inner) + var("k")
                self._fill_slab(out, whole, d, {"side": 2, "k": before}, at)
            else:
                if before:
                    self._fill_slab(out, whole, d, {"k": before}, var("k"))
                if after:
                    self._fill_slab(out, whole, d, {"k": after}, var("k") + (before + inner))

    def _fill_slab(
        self, out: Tensor, whole: Sequence[int], d: int, slab: Mapping[str, int], at: Expr
    ) -> None:
        """
        The fill where dimension `d` of the storage is `at`. Dimensions up to `d` run over their
        halo too, those after it only inside, because slabs of theirs cover the corners.
        """
        axes: dict[str, int] = {}
        index: list[Expr] = []
        for i in range(len(whole)):
            before = out.layout.sides(i)[0]
            if i == d:
                axes |= slab
                index.append(at - before)
            elif i < d:
                axes[f"d{i}"] = whole[i]
                index.append(var(f"d{i}") - before)
            else:
                axes[f"d{i}"] = out.extents[i]
                index.append(var(f"d{i}"))
        self._write(out.layout.fill, out, axes, index)

    def fill_padding(self, out: Tensor) -> None:
        """Write zeros where the storage of `out` pads a block."""
        names = names_of(len(out.shape))
        for d, (size, whole) in enumerate(zip(out.shape, out.extents, strict=True)):
            if size < whole:
                axes = dict(zip(names, out.extents, strict=True)) | {names[d]: whole - size}
                index = [var(n) + size if i == d else var(n) for i, n in enumerate(names)]
                self._write(0, out, axes, index)

    def _write(self, value: int, out: Tensor, axes: Mapping[str, int], index: Index) -> None:
        """A number at this logical index of `out`."""
        self.builder.insert(
            ComputeOp(
                axes=[Axis(n, e) for n, e in axes.items()],
                accesses=[AccessAttr.of(out.layout.apply(index))],
                init=number(value, out.scalar),
                inputs=[],
                extras=[],
                out=out.buffer,
                body=region([out.scalar], ["acc"], lambda s, acc: acc[0]),
            )
        )


def names_of(rank: int) -> tuple[str, ...]:
    """Names for the dimensions of a tensor of this rank."""
    return ("n", "c", "h", "w") if rank == 4 else tuple(f"i{d}" for d in range(rank))


def point(out: Tensor) -> tuple[dict[str, int], list[Expr]]:
    """Axes over every element of `out`, and its logical index in them."""
    names = names_of(len(out.shape))
    return dict(zip(names, out.extents, strict=True)), [var(n) for n in names]


def broadcast(t: Tensor, out: Tensor, index: Index) -> list[Expr]:
    """Where a pointwise op reads `t` for `out` at `index`: at 0 along dimensions that broadcast."""
    return [
        Expr() if n != size else e for n, size, e in zip(t.shape, out.shape, index, strict=True)
    ]
