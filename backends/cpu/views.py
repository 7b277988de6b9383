"""Buffers on the stack, and buffers that are views of others."""

from __future__ import annotations

from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType
from xdsl.ir import Operation, SSAValue

from lamina.backends.cpu.addresses import pointer
from lamina.backends.cpu.writer import Handler, Writer
from lamina.dialects.expr import Expr, var

SCRATCH_LIMIT = 1 << 20
"""bytes of memref.alloca in one function: more could overflow a thread's stack"""


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


HANDLERS: dict[type[Operation], Handler] = {
    memref.AllocaOp: _alloca,
    memref.ViewOp: _view,
    memref.SubviewOp: _subview,
    memref.CastOp: _same,
    memref.CollapseShapeOp: _same,
    memref.ExpandShapeOp: _same,
    memref.AssumeAlignmentOp: _same,
    memref.ReinterpretCastOp: _reinterpret,
}
