"""The address of an element of a memref.

A memref is the address of its element 0; the offset in a strided type is already in it.
Each part of an address is added in the block where its innermost loop begins, and shared from
there on: LLVM only generates code, it hoists nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from lamina.backends.cpu.writer import Writer
from lamina.dialects.expr import Div, Expr

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
    return step(w, at, const * width)


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


def step(w: Writer, at: str, offset: int) -> str:
    """The address `offset` bytes behind `at`."""
    return w.let(f"getelementptr i8, ptr {at}, i64 {offset}") if offset else at
