"""arith, math, casts and int8.dot4 as LLVM instructions: tables, and functions for the rest."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    VectorType,
)
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.backends.cpu.types import constant, element_of, lanes_of, mangled
from lamina.backends.cpu.writer import Handler, Writer
from lamina.dialects import int8
from lamina.dialects import vector as vec

BINARY: dict[type[Operation], str] = {
    arith.AddfOp: "fadd",
    arith.SubfOp: "fsub",
    arith.MulfOp: "fmul",
    arith.DivfOp: "fdiv",
    arith.AddiOp: "add",
    arith.SubiOp: "sub",
    arith.MuliOp: "mul",
    arith.DivSIOp: "sdiv",
    arith.DivUIOp: "udiv",
    arith.RemSIOp: "srem",
    arith.RemUIOp: "urem",
    arith.AndIOp: "and",
    arith.OrIOp: "or",
    arith.XOrIOp: "xor",
    arith.ShLIOp: "shl",
    arith.ShRSIOp: "ashr",
    arith.ShRUIOp: "lshr",
}
# x, y -> select(x <predicate> y, y, x)
PICK: dict[type[Operation], str] = {
    arith.MaxSIOp: "icmp slt",
    arith.MinSIOp: "icmp sgt",
    arith.MaxUIOp: "icmp ult",
    arith.MinUIOp: "icmp ugt",
}
# predicate, and whether NaN wins (IEEE maximum) or loses (IEEE maxNum)
EXTREME: dict[type[Operation], tuple[str, bool]] = {
    arith.MaximumfOp: ("olt", True),
    arith.MinimumfOp: ("ogt", True),
    arith.MaxnumfOp: ("olt", False),
    arith.MinnumfOp: ("ogt", False),
}
INTRINSIC: dict[type[Operation], str] = {
    math.FmaOp: "llvm.fma",
    math.AbsFOp: "llvm.fabs",
    math.CopySignOp: "llvm.copysign",
    math.SqrtOp: "llvm.sqrt",
    math.FloorOp: "llvm.floor",
    math.CeilOp: "llvm.ceil",
    math.TruncOp: "llvm.trunc",
    math.RoundOp: "llvm.round",
    math.RoundEvenOp: "llvm.roundeven",
    math.CtPopOp: "llvm.ctpop",
    math.CountLeadingZerosOp: "llvm.ctlz",
    math.CountTrailingZerosOp: "llvm.cttz",
    math.AbsIOp: "llvm.abs",
}
# these also take a flag; false: zero (or the smallest integer) has a defined result
FLAGGED = (math.CountLeadingZerosOp, math.CountTrailingZerosOp, math.AbsIOp)
CAST: dict[type[Operation], str] = {
    arith.ExtFOp: "fpext",
    arith.TruncFOp: "fptrunc",
    arith.ExtSIOp: "sext",
    arith.ExtUIOp: "zext",
    arith.TruncIOp: "trunc",
    arith.SIToFPOp: "sitofp",
    arith.UIToFPOp: "uitofp",
    arith.FPToSIOp: "fptosi",
    arith.FPToUIOp: "fptoui",
    arith.BitcastOp: "bitcast",
}
CMPI = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
CMPF = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)


def _flags(op: Operation) -> str:
    """Fast-math and overflow flags, sorted: their set has no order of its own."""
    for name in ("fastmath", "overflowFlags"):
        if (flags := op.properties.get(name)) is not None and flags.data:  # pyright: ignore
            return "".join(f" {flag}" for flag in sorted(f.value for f in flags.data))  # pyright: ignore
    return ""


def _binary(w: Writer, op: Operation) -> None:
    x, y = op.operands
    w.define(op.results[0], f"{BINARY[type(op)]}{_flags(op)} {w.typed(x)}, {w.name(y)}")


def _pick(w: Writer, op: Operation) -> None:
    x, y = op.operands
    test = w.let(f"{PICK[type(op)]} {w.typed(x)}, {w.name(y)}")
    w.define(op.results[0], f"select {_bools(x.type)} {test}, {w.typed(y)}, {w.typed(x)}")


def _bools(t: Attribute) -> str:
    return f"<{lanes_of(t)} x i1>" if isinstance(t, VectorType) else "i1"


def _extreme(w: Writer, op: Operation) -> None:
    """One instruction if one side is a constant: `select(x < c, c, x)` is x where x is NaN."""
    predicate, nan_wins = EXTREME[type(op)]
    x, y = op.operands
    if nan_wins and _never_nan(x):
        x, y = y, x
    tx, ty, bools = w.typed(x), w.typed(y), _bools(x.type)
    if not nan_wins:  # y where x is NaN; then x where y is
        test = w.let(f"fcmp {'ogt' if predicate == 'olt' else 'olt'} {tx}, {w.name(y)}")
        best = w.let(f"select {bools} {test}, {tx}, {ty}")
        lost = w.let(f"fcmp uno {ty}, {w.name(y)}")
        w.define(op.results[0], f"select {bools} {lost}, {tx}, {w.type(x.type)} {best}")
        return
    test = w.let(f"fcmp {predicate} {tx}, {w.name(y)}")
    best = f"select {bools} {test}, {ty}, {tx}"
    if not _never_nan(y):
        best = w.let(best)
        nan = w.let(f"fcmp uno {ty}, {w.name(y)}")
        best = f"select {bools} {nan}, {ty}, {w.type(x.type)} {best}"
    w.define(op.results[0], best)


def _never_nan(v: SSAValue) -> bool:
    if not isinstance(op := v.owner, arith.ConstantOp):
        return False
    return not any(isnan(n) for n in constant_values(op))


def constant_values(op: arith.ConstantOp) -> tuple[float, ...]:
    """The numbers of a constant, element by element."""
    value = op.value
    if isinstance(value, DenseIntOrFPElementsAttr):
        return tuple(value.get_values())  # pyright: ignore[reportReturnType]
    assert isinstance(value, IntegerAttr | FloatAttr), value
    return (value.value.data,)


def _constant(w: Writer, op: Operation) -> None:
    assert isinstance(op, arith.ConstantOp)
    if not isinstance(op.value, DenseIntOrFPElementsAttr | IntegerAttr | FloatAttr):
        raise w.error(f"no LLVM for the constant {op.value}")
    values = constant_values(op)
    w.names[op.result] = constant(values, op.result.type)
    w.depth[op.result] = 0
    if isinstance(op.result.type, IndexType):
        w.numbers[op.result] = int(values[0])


def _intrinsic(w: Writer, op: Operation) -> None:
    t = op.results[0].type
    args = [(w.type(v.type), w.name(v)) for v in op.operands]
    if isinstance(op, FLAGGED):
        args.append(("i1", "false"))
    name = f"{INTRINSIC[type(op)]}.{mangled(t)}"
    w.define(op.results[0], w.intrinsic(w.type(t), name, *args))


def _rsqrt(w: Writer, op: Operation) -> None:
    """1 / sqrt(x), each rounded: the machine's own estimate has 12 bits."""
    (x,), t = op.operands, w.type(op.results[0].type)
    root = w.let(w.intrinsic(t, f"llvm.sqrt.{mangled(x.type)}", (t, w.name(x))))
    w.define(op.results[0], f"fdiv {t} {constant((1.0,), x.type)}, {root}")


def _negate(w: Writer, op: Operation) -> None:
    w.define(op.results[0], f"fneg{_flags(op)} {w.typed(op.operands[0])}")


def _cast(w: Writer, op: Operation) -> None:
    _convert(w, CAST[type(op)], op.operands[0], op.results[0])


def _convert(w: Writer, instruction: str, x: SSAValue, res: SSAValue) -> None:
    w.define(res, f"{instruction} {w.typed(x)} to {w.type(res.type)}")


def _index_cast(w: Writer, op: Operation) -> None:
    (x,), (res,) = op.operands, op.results
    of, to = (64 if isinstance(t, IndexType) else t.width.data for t in (x.type, res.type))  # pyright: ignore
    if of == to:
        w.alias(res, x)
    else:
        _convert(w, "sext" if of < to else "trunc", x, res)


def _compare(prefix: str, predicates: tuple[str, ...]) -> Handler:
    def compare(w: Writer, op: Operation) -> None:
        assert isinstance(op, arith.CmpiOp | arith.CmpfOp)
        predicate = predicates[op.predicate.value.data]
        if isinstance(op.lhs.type, VectorType) and not isinstance(op.result.type, VectorType):
            raise w.error(
                f"{op.name} gives {op.result.type} for {op.lhs.type}; one i1 a lane is needed"
            )
        w.define(op.result, f"{prefix} {predicate} {w.typed(op.lhs)}, {w.name(op.rhs)}")

    return compare


def _select(w: Writer, op: Operation) -> None:
    cond, x, y = op.operands
    w.define(op.results[0], f"select {w.typed(cond)}, {w.typed(x)}, {w.typed(y)}")


def _vec_convert(w: Writer, op: Operation) -> None:
    """Signed int to float, float to int towards zero, a narrower or wider float or signed int."""
    assert isinstance(op, vec.ConvertOp)
    of, to = element_of(op.x.type), element_of(op.res.type)
    if of == to:
        w.alias(op.res, op.x)
        return
    integers = isinstance(of, IntegerType), isinstance(to, IntegerType)
    wider = to.bitwidth > of.bitwidth  # pyright: ignore[reportAttributeAccessIssue]
    table: dict[tuple[bool, bool], Callable[[], str]] = {
        (True, False): lambda: "sitofp",
        (False, True): lambda: "fptosi",
        (True, True): lambda: "sext" if wider else "trunc",
        (False, False): lambda: "fpext" if wider else "fptrunc",
    }
    _convert(w, table[integers](), op.x, op.res)


def _splat_lane(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.SplatLaneOp)
    of = w.type(op.vec.type)
    n = lanes_of(op.res.type)
    mask = f"<{n} x i32> splat (i32 {op.lane.data})"
    w.define(op.res, f"shufflevector {of} {w.name(op.vec)}, {of} poison, {mask}")


def _dot4(w: Writer, op: Operation) -> None:
    """One instruction where the machine has it for this width; the exact sum in i32 elsewhere."""
    assert isinstance(op, int8.Dot4Op)
    acc, a, b = w.typed(op.acc), w.typed(op.a), w.typed(op.b)
    bits = 32 * lanes_of(op.res.type)
    t = w.type(op.res.type)
    if w.machine.dot4 and bits in (128, 256, 512) and bits <= 8 * w.machine.vector_bytes:
        args = [(x.split(">")[0] + ">", x.split("> ", 1)[1]) for x in (acc, a, b)]
        name = f"llvm.x86.avx512.vpdpbusd.{bits}"
        w.define(op.res, w.intrinsic(t, name, *args))
        return
    wide_a, wide_b = w.let(f"bitcast {a} to {t}"), w.let(f"bitcast {b} to {t}")
    total = w.name(op.acc)
    for byte in range(4):
        x = w.let(f"lshr {t} {wide_a}, splat (i32 {8 * byte})") if byte else wide_a
        x = w.let(f"and {t} {x}, splat (i32 255)")
        y = w.let(f"shl {t} {wide_b}, splat (i32 {24 - 8 * byte})") if byte < 3 else wide_b
        y = w.let(f"ashr {t} {y}, splat (i32 24)")
        product = w.let(f"mul {t} {x}, {y}")
        if byte < 3:
            total = w.let(f"add {t} {total}, {product}")
        else:
            w.define(op.res, f"add {t} {total}, {product}")


HANDLERS: dict[type[Operation], Handler] = {
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(PICK, _pick),
    **dict.fromkeys(EXTREME, _extreme),
    **dict.fromkeys(INTRINSIC, _intrinsic),
    **dict.fromkeys(CAST, _cast),
    arith.ConstantOp: _constant,
    arith.NegfOp: _negate,
    arith.IndexCastOp: _index_cast,
    arith.CmpiOp: _compare("icmp", CMPI),
    arith.CmpfOp: _compare("fcmp", CMPF),
    arith.SelectOp: _select,
    math.RsqrtOp: _rsqrt,
    vec.ConvertOp: _vec_convert,
    vec.SplatLaneOp: _splat_lane,
    int8.Dot4Op: _dot4,
}
