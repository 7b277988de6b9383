"""Loads, stores and views on memrefs, and their addresses.

A memref is the address of its element 0; the offset in a strided type is already in it.
Each part of an address is added in the block where its innermost loop begins, and shared from
there on: LLVM only generates code, it hoists nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerType, MemRefType, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.backends.cpu.types import byte_size, element_of, lanes_of, mangled
from lamina.backends.cpu.writer import Handler, Writer
from lamina.dialects import vector as vec
from lamina.dialects.expr import Div, Expr, var

SCRATCH_LIMIT = 1 << 20
"""bytes of memref.alloca in one function: more could overflow a thread's stack"""

# One summand of an address: loop depth, bytes per step, what steps
_Part = tuple[int, int, str | Div, tuple[SSAValue, ...]]


def pointer(w: Writer, ref: SSAValue, index: Sequence[Expr], indices: Sequence[SSAValue]) -> str:
    """The address of `ref[index]`, where the name "k" in `index` is `indices[k]`."""
    strides, width = w.layout(ref.type)
    const, sums = 0, dict[str | Div, int]()
    for e, stride in zip(index, strides, strict=True):
        const += e.const * stride
        for atom, c in e.terms:
            sums[atom] = sums.get(atom, 0) + c * stride
    parts: list[_Part] = []
    for atom, c in sums.items():
        names = sorted(atom.of.names()) if isinstance(atom, Div) else (atom,)
        values = tuple(indices[int(n)] for n in names)
        known = [w.numbers.get(v) for v in values]
        if None not in known:
            env = {n: Expr((), k) for n, k in zip(names, known, strict=True) if k is not None}
            const += Expr(((atom, c),)).substitute(env).const
        else:
            parts.append((max(w.depth.get(v, 0) for v in values), c * width, atom, values))
    at = _add_parts(w, ref, parts, indices)
    return _step(w, at, const * width)


def _add_parts(w: Writer, ref: SSAValue, parts: list[_Part], indices: Sequence[SSAValue]) -> str:
    at, key = w.name(ref), (ref,)
    for depth, step, atom, values in sorted(parts, key=lambda p: p[0]):
        what = (atom.kind, atom.of, atom.by) if isinstance(atom, Div) else None
        key = (*key, step, what, values)
        if (known := w.pointers.get(key)) is None:
            lines = w.open[max(depth, w.depth.get(ref, 0))]
            offset = _evaluate(w, Expr(((atom, step),)), indices, lines)
            known = w.let(f"getelementptr i8, ptr {at}, i64 {offset}", lines)
            w.pointers[key] = known
        at = known
    return at


def _evaluate(w: Writer, e: Expr, indices: Sequence[SSAValue], lines: list[str]) -> str:
    total = ""
    for atom, c in e.terms:
        value = (
            _quotient(w, atom, indices, lines)
            if isinstance(atom, Div)
            else w.name(indices[int(atom)])
        )
        value = w.let(f"mul i64 {value}, {c}", lines) if c != 1 else value
        total = w.let(f"add i64 {total}, {value}", lines) if total else value
    if not total:
        return str(e.const)
    return w.let(f"add i64 {total}, {e.const}", lines) if e.const else total


def _quotient(w: Writer, d: Div, indices: Sequence[SSAValue], lines: list[str]) -> str:
    """floordiv and mod round towards minus infinity; LLVM's signed ops round towards zero."""
    x = _evaluate(w, d.of, indices, lines)
    names = d.of.names()
    limits = d.of.bounds({n: w.extents[v] for n in names if (v := indices[int(n)]) in w.extents})
    if limits is not None and limits[0] >= 0:
        return w.let(f"{'udiv' if d.kind == 'floordiv' else 'urem'} i64 {x}, {d.by}", lines)
    rest = w.let(f"srem i64 {x}, {d.by}", lines)
    negative = w.let(f"icmp slt i64 {rest}, 0", lines)
    if d.kind == "mod":
        wrapped = w.let(f"add i64 {rest}, {d.by}", lines)
        return w.let(f"select i1 {negative}, i64 {wrapped}, i64 {rest}", lines)
    quotient = w.let(f"sdiv i64 {x}, {d.by}", lines)
    return w.let(f"add i64 {quotient}, {w.let(f'sext i1 {negative} to i64', lines)}", lines)


def read(w: Writer, result: SSAValue, at: str) -> None:
    """Load `result` from the address `at`, which is aligned to one element only."""
    t = result.type
    element = element_of(t)
    align = byte_size(element)
    if not _is_bool(element):
        w.define(result, f"load {w.type(t)}, ptr {at}, align {align}")
        return
    n = lanes_of(t)
    wide = f"<{n} x i8>" if isinstance(t, VectorType) else "i8"
    byte = w.let(f"load {wide}, ptr {at}, align 1")
    w.define(result, f"trunc {wide} {byte} to {w.type(t)}")


def write(w: Writer, value: SSAValue, at: str) -> None:
    """Store `value` at the address `at`, which is aligned to one element only."""
    element = element_of(value.type)
    text = w.typed(value)
    if _is_bool(element):
        wide = f"<{lanes_of(value.type)} x i8>" if isinstance(value.type, VectorType) else "i8"
        text = f"{wide} {w.let(f'zext {text} to {wide}')}"
    w.lines.append(f"store {text}, ptr {at}, align {byte_size(element)}")


def _is_bool(t: Attribute) -> bool:
    return isinstance(t, IntegerType) and t.width.data == 1


def _consecutive(w: Writer, op: Operation, ref: SSAValue, value: SSAValue) -> None:
    strides, _ = w.layout(ref.type)
    if lanes_of(value.type) > 1 and strides and strides[-1] != 1:
        raise w.error(
            f"{op.name} needs consecutive elements, got a last stride of {strides[-1]} "
            f"in {ref.type}"
        )


def _load(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.LoadOp)
    _consecutive(w, op, op.ref, op.res)
    read(w, op.res, pointer(w, op.ref, op.index.data, op.indices))


def _load_run(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.LoadRunOp)
    _consecutive(w, op, op.ref, op.res[0])
    first, t = pointer(w, op.ref, op.index.data, op.indices), op.res[0].type
    size = lanes_of(t) * byte_size(element_of(t))
    for k, result in enumerate(op.res):
        read(w, result, w.let(f"getelementptr i8, ptr {first}, i64 {k * size}") if k else first)


def _store(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.StoreOp)
    _consecutive(w, op, op.ref, op.value)
    write(w, op.value, pointer(w, op.ref, op.index.data, op.indices))


@dataclass(frozen=True)
class _Lanes:
    """A vector as its lanes: a group of elements counts as one wide integer, an i1 as its byte."""

    n: int
    lane: str
    """the LLVM type of one lane"""
    align: int
    """bytes of one element"""
    bytes: int
    """bytes of one lane"""
    flat: str
    """the LLVM type of the vector itself, which has the elements of all groups in a row"""
    read: str
    """the instruction that makes the vector of lanes one of that type"""
    write: str
    """and the one that goes the other way"""

    @property
    def all(self) -> str:
        """The LLVM type of the vector of lanes."""
        return f"<{self.n} x {self.lane}>"


def _lanes(w: Writer, op: Operation, t: Attribute) -> _Lanes:
    if not isinstance(t, VectorType):
        raise w.error(f"{op.name} needs a vector, got {t}")
    n, *group = t.get_shape()
    width = byte_size(t.element_type)
    if group and _is_bool(t.element_type):
        raise w.error(f"{op.name} needs groups of whole bytes, got {t}")
    whole = bool(group) or _is_bool(t.element_type)
    lane = f"i{8 * width * prod(group)}" if whole else w.type(t.element_type)
    cast = ("trunc", "zext") if _is_bool(t.element_type) else ("bitcast", "bitcast")
    return _Lanes(n, lane, width, width * prod(group), w.type(t), *cast)


def _from_lanes(w: Writer, res: SSAValue, v: _Lanes, text: str) -> None:
    w.define(res, text if v.flat == v.all else f"{v.read} {v.all} {w.let(text)} to {v.flat}")


def _load_splat(w: Writer, op: Operation) -> None:
    """Load one lane, copy it to all: one instruction."""
    assert isinstance(op, vec.LoadSplatOp)
    v = _lanes(w, op, op.res.type)
    x = w.let(
        f"load {v.lane}, ptr {pointer(w, op.ref, op.index.data, op.indices)}, align {v.align}"
    )
    one = w.let(f"insertelement {v.all} poison, {v.lane} {x}, i32 0")
    mask = f"<{v.n} x i32> zeroinitializer"
    _from_lanes(w, op.res, v, f"shufflevector {v.all} {one}, {v.all} poison, {mask}")


def _load_strided(w: Writer, op: Operation) -> None:
    """A load and an insertion per lane; LLVM knows no better for strides in general."""
    assert isinstance(op, vec.LoadStridedOp)
    v = _lanes(w, op, op.res.type)
    at = pointer(w, op.ref, op.index.data, op.indices)
    so_far = "poison"
    for k in range(v.n):
        here = _step(w, at, k * op.stride.data * v.align)
        x = w.let(f"load {v.lane}, ptr {here}, align {v.align}")
        text = f"insertelement {v.all} {so_far}, {v.lane} {x}, i32 {k}"
        if k + 1 < v.n:
            so_far = w.let(text)
        else:
            _from_lanes(w, op.res, v, text)


def _gather(w: Writer, op: Operation) -> None:
    """One instruction where the machine has a fast one, which is for lanes of 4 and 8 bytes."""
    assert isinstance(op, vec.GatherOp)
    v = _lanes(w, op, op.res.type)
    at = pointer(w, op.ref, op.index.data, op.indices)
    element = element_of(op.res.type)
    if w.machine.vector_bytes < 64 or v.bytes not in (4, 8):
        _gather_lanes(w, op, v, at)
        return
    where = w.let(f"getelementptr {w.type(element)}, ptr {at}, {w.typed(op.lanes)}")
    args = (
        (f"<{v.n} x ptr>", f"align {v.align} {where}"),
        (f"<{v.n} x i1>", "splat (i1 true)"),
        (v.all, "poison"),
    )
    kind = mangled(element) if v.flat == v.all else v.lane
    name = f"llvm.masked.gather.v{v.n}{kind}.v{v.n}p0"
    _from_lanes(w, op.res, v, w.intrinsic(v.all, name, *args))


def _gather_lanes(w: Writer, op: vec.GatherOp, v: _Lanes, at: str) -> None:
    lanes, element = op.lanes.type, w.type(element_of(op.res.type))
    assert isinstance(lanes, VectorType)
    where, text = w.type(lanes.element_type), "poison"
    for k in range(v.n):
        i = w.let(f"extractelement {w.typed(op.lanes)}, i32 {k}")
        here = w.let(f"getelementptr {element}, ptr {at}, {where} {i}")
        x = w.let(f"load {v.lane}, ptr {here}, align {v.align}")
        so_far = w.let(text) if k else text
        text = f"insertelement {v.all} {so_far}, {v.lane} {x}, i32 {k}"
    _from_lanes(w, op.res, v, text)


def _store_strided(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.StoreStridedOp)
    v = _lanes(w, op, op.value.type)
    at = pointer(w, op.ref, op.index.data, op.indices)
    value = w.name(op.value)
    if v.flat != v.all:
        value = w.let(f"{v.write} {v.flat} {value} to {v.all}")
    for k in range(v.n):
        x = w.let(f"extractelement {v.all} {value}, i32 {k}")
        here = _step(w, at, k * op.stride.data * v.align)
        w.lines.append(f"store {v.lane} {x}, ptr {here}, align {v.align}")


def _step(w: Writer, at: str, offset: int) -> str:
    return w.let(f"getelementptr i8, ptr {at}, i64 {offset}") if offset else at


def _by_position(op: memref.LoadOp | memref.StoreOp) -> list[Expr]:
    return [var(str(k)) for k in range(len(op.indices))]


def _memref_load(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.LoadOp)
    read(w, op.res, pointer(w, op.memref, _by_position(op), op.indices))


def _memref_store(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.StoreOp)
    write(w, op.value, pointer(w, op.memref, _by_position(op), op.indices))


def _alloca(w: Writer, op: Operation) -> None:
    """Scratch lives in the entry block: one in a loop would grow the stack with every step."""
    assert isinstance(op, memref.AllocaOp)
    t = op.memref.type
    assert isinstance(t, MemRefType)
    if op.dynamic_sizes:
        raise w.error(f"{op.name} needs a static size, got {t}")
    strides, width = w.layout(t)
    last = sum((n - 1) * s for n, s in zip(t.get_shape(), strides, strict=True))
    size = width * (last + 1)
    w.scratch_bytes += size
    if w.scratch_bytes > SCRATCH_LIMIT:
        raise w.error(
            f"{op.name} brings the scratch to {w.scratch_bytes} bytes, at most {SCRATCH_LIMIT} "
            "fit on a stack; use the arena"
        )
    align = max(64, op.alignment.value.data if op.alignment else 0)
    name = w.names[op.memref] = w.named(op.memref)
    w.blocks[0].lines.insert(0, f"{name} = alloca [{size} x i8], align {align}")
    w.depth[op.memref] = 0


def _view(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.ViewOp)
    w.define(op.result, f"getelementptr i8, ptr {w.name(op.source)}, i64 {w.name(op.byte_shift)}")


def _subview(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.SubviewOp)
    if any(s == DYNAMIC_INDEX for s in op.static_strides.get_values()):
        raise w.error(f"{op.name} needs static strides")
    given = iter(op.offsets)
    index, values = list[Expr](), list[SSAValue]()
    for offset in op.static_offsets.get_values():
        if offset == DYNAMIC_INDEX:
            index.append(var(str(len(values))))
            values.append(next(given))
        else:
            index.append(Expr((), int(offset)))
    at = pointer(w, op.source, index, values)
    w.names[op.result] = at
    w.depth[op.result] = len(w.open) - 1


def _same(w: Writer, op: Operation) -> None:
    w.alias(op.results[0], op.operands[0])


def _reinterpret(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.ReinterpretCastOp)
    if any(offsets := op.static_offsets.get_values()):
        raise w.error(f"{op.name} needs offset 0, got {offsets[0]}; use memref.subview")
    _same(w, op)


def _prefetch(w: Writer, op: Operation) -> None:
    """Into every level of cache, as data that will be read: arguments 0, 3 and 1."""
    assert isinstance(op, vec.PrefetchOp)
    at = pointer(w, op.ref, op.index.data, op.indices)
    how = (("i32", "0"), ("i32", "3"), ("i32", "1"))
    w.lines.append(w.intrinsic("void", "llvm.prefetch.p0", ("ptr", at), *how))


HANDLERS: dict[type[Operation], Handler] = {
    vec.LoadOp: _load,
    vec.LoadRunOp: _load_run,
    vec.LoadSplatOp: _load_splat,
    vec.LoadStridedOp: _load_strided,
    vec.GatherOp: _gather,
    vec.StoreOp: _store,
    vec.StoreStridedOp: _store_strided,
    vec.PrefetchOp: _prefetch,
    memref.LoadOp: _memref_load,
    memref.StoreOp: _memref_store,
    memref.AllocaOp: _alloca,
    memref.ViewOp: _view,
    memref.SubviewOp: _subview,
    memref.CastOp: _same,
    memref.CollapseShapeOp: _same,
    memref.ExpandShapeOp: _same,
    memref.AssumeAlignmentOp: _same,
    memref.ReinterpretCastOp: _reinterpret,
}
