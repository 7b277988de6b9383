"""Loads and stores on memrefs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects import memref
from xdsl.dialects.builtin import Float16Type, IntegerType, VectorType, f16
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.backends.cpu import views
from lamina.backends.cpu.addresses import pointer, step
from lamina.backends.cpu.types import byte_size, element_of, lanes_of, mangled
from lamina.backends.cpu.writer import Handler, Writer
from lamina.dialects import vector as vec
from lamina.dialects.expr import Expr, var


def _stored(op: vec.MemoryOp, t: Attribute) -> Attribute:
    """What memory holds for a value of type `t`: f32 that are stored as f16, or the same."""
    if not isinstance(op.memref.element_type, Float16Type):
        return t
    return VectorType(f16, t.get_shape()) if isinstance(t, VectorType) else f16


def _widened(w: Writer, result: SSAValue, stored: Attribute, text: str) -> None:
    """Define `result` by what was read, which may be shorter floats."""
    if stored == result.type:
        w.define(result, text)
    else:
        w.define(result, f"fpext {w.type(stored)} {w.let(text)} to {w.type(result.type)}")


def _narrowed(w: Writer, value: SSAValue, stored: Attribute) -> str:
    """`value` as it is stored: rounded, if memory holds shorter floats."""
    if stored == value.type:
        return w.name(value)
    return w.let(f"fptrunc {w.typed(value)} to {w.type(stored)}")


def read(w: Writer, result: SSAValue, at: str, stored: Attribute | None = None) -> None:
    """
    Load `result` from the address `at`, which is aligned to one element only and has what is
    `stored`, without which that is what `result` is.
    """
    t = stored or result.type
    element = element_of(t)
    align = byte_size(element)
    if not _is_bool(element):
        _widened(w, result, t, f"load {w.type(t)}, ptr {at}, align {align}")
        return
    n = lanes_of(t)
    wide = f"<{n} x i8>" if isinstance(t, VectorType) else "i8"
    byte = w.let(f"load {wide}, ptr {at}, align 1")
    w.define(result, f"trunc {wide} {byte} to {w.type(t)}")


def write(w: Writer, value: SSAValue, at: str, stored: Attribute | None = None) -> None:
    """Store `value` at the address `at`, which is aligned to one element only, as `stored`."""
    t = stored or value.type
    element = element_of(t)
    text = f"{w.type(t)} {_narrowed(w, value, t)}"
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
    at = pointer(w, op.ref, op.index.data, op.indices)
    read(w, op.res, at, _stored(op, op.res.type))


def _load_run(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.LoadRunOp)
    _consecutive(w, op, op.ref, op.res[0])
    first, t = pointer(w, op.ref, op.index.data, op.indices), _stored(op, op.res[0].type)
    size = lanes_of(t) * byte_size(element_of(t))
    for k, result in enumerate(op.res):
        read(w, result, step(w, first, k * size), t)


def _store(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.StoreOp)
    _consecutive(w, op, op.ref, op.value)
    at = pointer(w, op.ref, op.index.data, op.indices)
    write(w, op.value, at, _stored(op, op.value.type))


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
    stored: Attribute
    """the type of the vector as it is in memory"""

    @property
    def all(self) -> str:
        """The LLVM type of the vector of lanes."""
        return f"<{self.n} x {self.lane}>"


def _lanes(w: Writer, op: vec.MemoryOp, value: Attribute) -> _Lanes:
    t = _stored(op, value)
    if not isinstance(t, VectorType):
        raise w.error(f"{op.name} needs a vector, got {t}")
    n, *group = t.get_shape()
    width = byte_size(t.element_type)
    if group and _is_bool(t.element_type):
        raise w.error(f"{op.name} needs groups of whole bytes, got {t}")
    whole = bool(group) or _is_bool(t.element_type)
    lane = f"i{8 * width * prod(group)}" if whole else w.type(t.element_type)
    cast = ("trunc", "zext") if _is_bool(t.element_type) else ("bitcast", "bitcast")
    return _Lanes(n, lane, width, width * prod(group), w.type(t), *cast, t)


def _from_lanes(w: Writer, res: SSAValue, v: _Lanes, text: str) -> None:
    text = text if v.flat == v.all else f"{v.read} {v.all} {w.let(text)} to {v.flat}"
    _widened(w, res, v.stored, text)


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
        here = step(w, at, k * op.stride.data * v.align)
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
    element = element_of(v.stored)
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
    lanes, element = op.lanes.type, w.type(element_of(v.stored))
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
    value = _narrowed(w, op.value, v.stored)
    if v.flat != v.all:
        value = w.let(f"{v.write} {v.flat} {value} to {v.all}")
    for k in range(v.n):
        x = w.let(f"extractelement {v.all} {value}, i32 {k}")
        here = step(w, at, k * op.stride.data * v.align)
        w.lines.append(f"store {v.lane} {x}, ptr {here}, align {v.align}")


def _by_position(op: memref.LoadOp | memref.StoreOp) -> list[Expr]:
    return [var(str(k)) for k in range(len(op.indices))]


def _memref_load(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.LoadOp)
    read(w, op.res, pointer(w, op.memref, _by_position(op), op.indices))


def _memref_store(w: Writer, op: Operation) -> None:
    assert isinstance(op, memref.StoreOp)
    write(w, op.value, pointer(w, op.memref, _by_position(op), op.indices))


def _prefetch(w: Writer, op: Operation) -> None:
    """Into every level of cache, as data that will be read: arguments 0, 3 and 1."""
    assert isinstance(op, vec.PrefetchOp)
    at = pointer(w, op.ref, op.index.data, op.indices)
    how = (("i32", "0"), ("i32", "3"), ("i32", "1"))
    w.lines.append(w.intrinsic("void", "llvm.prefetch.p0", ("ptr", at), *how))


def _barrier(w: Writer, op: Operation) -> None:
    """All lanes are where their register is."""


HANDLERS: dict[type[Operation], Handler] = {
    **views.HANDLERS,
    vec.LoadOp: _load,
    vec.LoadRunOp: _load_run,
    vec.LoadSplatOp: _load_splat,
    vec.LoadStridedOp: _load_strided,
    vec.GatherOp: _gather,
    vec.StoreOp: _store,
    vec.StoreStridedOp: _store_strided,
    vec.PrefetchOp: _prefetch,
    vec.BarrierOp: _barrier,
    memref.LoadOp: _memref_load,
    memref.StoreOp: _memref_store,
}
