"""arith, math, casts and int8's sums as LLVM instructions: tables, and functions for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, prod

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    VectorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.backends.cpu.limits import constant_values, fits
from lamina.backends.cpu.types import constant, element_of, lanes_of, mangled
from lamina.backends.cpu.writer import Handler, Writer
from lamina.backends.dot4 import lanes
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
    vec.RemOp: "frem",
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
    arith.BitcastOp: "bitcast",
}

# lanes -> intrinsic, and the forms that a machine must have for it
SUMS: dict[type[Operation], tuple[dict[int, str], tuple[str, ...]]] = {
    int8.Dot4Op: (
        {n: f"llvm.x86.avx512.vpdpbusd.{32 * n}" for n in (4, 8, 16)},
        ("vnni", "avxvnni"),
    ),
    int8.MaddubsOp: (
        {
            4: "llvm.x86.ssse3.pmadd.ub.sw.128",
            8: "llvm.x86.avx2.pmadd.ub.sw",
            16: "llvm.x86.avx512.pmaddubs.w.512",
        },
        ("maddubs",),
    ),
    int8.Madd16Op: (
        {
            4: "llvm.x86.sse2.pmadd.wd",
            8: "llvm.x86.avx2.pmadd.wd",
            16: "llvm.x86.avx512.pmaddw.d.512",
        },
        ("madd16",),
    ),
}


def _flags(op: Operation) -> str:
    """Fast-math and overflow flags, sorted: their set has no order of its own."""
    for name in ("fastmath", "overflowFlags"):
        if (flags := op.properties.get(name)) is not None and flags.data:  # pyright: ignore
            return "".join(f" {flag}" for flag in sorted(f.value for f in flags.data))  # pyright: ignore
    return ""


def _binary(w: Writer, op: Operation) -> None:
    x, y = op.operands
    w.define(op.results[0], f"{BINARY[type(op)]}{_flags(op)} {w.typed(x)}, {w.name(y)}")


def _multiply_extended(w: Writer, op: Operation) -> None:
    """Both halves of products; the high ones of 32 bits are what CPUs have no instruction for."""
    assert isinstance(op, arith.MulSIExtendedOp)
    t = op.lhs.type
    if element_of(t) != i32:
        raise w.error(f"no LLVM for {op.name} on {t}; it needs i32")
    if op.low.uses:
        w.define(op.low, f"mul {w.typed(op.lhs)}, {w.name(op.rhs)}")
    if isinstance(t, VectorType) and lanes_of(t) % 2 == 0:
        _high_by_pairs(w, op, lanes_of(t))
        return
    wide = "i64" if not isinstance(t, VectorType) else f"<{lanes_of(t)} x i64>"
    a, b = (w.let(f"sext {w.typed(v)} to {wide}") for v in op.operands)
    product = w.let(f"mul {wide} {a}, {b}")
    w.define(op.high, f"trunc {wide} {_shifted(w, 'lshr', wide, product)} to {w.type(t)}")


def _high_by_pairs(w: Writer, op: arith.MulSIExtendedOp, lanes: int) -> None:
    """Products of the even lanes, and of the odd ones: two neighbours are a number of 64 bits."""
    t, pairs = w.type(op.high.type), f"<{lanes // 2} x i64>"
    both = [w.let(f"bitcast {w.typed(v)} to {pairs}") for v in op.operands]
    even = [_shifted(w, "ashr", pairs, _shifted(w, "shl", pairs, v)) for v in both]
    odd = [_shifted(w, "ashr", pairs, v) for v in both]
    products = [w.let(f"mul {pairs} {a}, {b}") for a, b in (even, odd)]
    low, high = (f"{t} {w.let(f'bitcast {pairs} {p} to {t}')}" for p in products)
    tops = [lanes * (k % 2) + k // 2 * 2 + 1 for k in range(lanes)]
    w.define(op.high, f"shufflevector {low}, {high}, {_mask(tops, op.high.type)}")


def _shifted(w: Writer, instruction: str, type: str, v: str) -> str:
    """`v` by 32 bits."""
    lanes = int(type[1:].split()[0]) if type.startswith("<") else 1
    by = constant([32] * lanes, VectorType(i64, [lanes]))
    return w.let(f"{instruction} {type} {v}, {by if type.startswith('<') else 32}")


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
    if isinstance(op, math.FmaOp) and isinstance(element_of(t), Float16Type):
        raise w.error(f"no LLVM for math.fma on {t}: no instruction rounds once; use f32")
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
    of, to = element_of(x.type), element_of(res.type)
    if instruction == "fptrunc" and isinstance(of, Float64Type) and isinstance(to, Float16Type):
        raise w.error("no LLVM for f64 to f16: no instruction rounds once; convert to f32 before")
    w.define(res, f"{instruction} {w.typed(x)} to {w.type(res.type)}")


def _to_integer(w: Writer, op: Operation) -> None:
    """
    The nearest number that the integer holds: a plain fptosi of another would be undefined.

    What is rounded before and surely fits is one instruction, on every machine.
    """
    unsigned = isinstance(op, arith.FPToUIOp) or getattr(op, "unsigned", None) is not None
    (x,), (res,) = op.operands, op.results
    kind, t = "ui" if unsigned else "si", w.type(res.type)
    types = f"{mangled(res.type)}.{mangled(x.type)}"
    if not fits(x, res.type, unsigned):
        name = f"llvm.fpto{kind}.sat.{types}"
        w.define(res, w.intrinsic(t, name, (w.type(x.type), w.name(x))))
    elif isinstance(x.owner, math.RoundEvenOp) and element_of(res.type) == i32 and not unsigned:
        y = x.owner.operand
        w.define(res, w.intrinsic(t, f"llvm.lrint.{types}", (w.type(y.type), w.name(y))))
    else:
        _convert(w, f"fpto{kind}", x, res)


def _index_cast(w: Writer, op: Operation) -> None:
    (x,), (res,) = op.operands, op.results
    of, to = (64 if isinstance(t, IndexType) else t.width.data for t in (x.type, res.type))  # pyright: ignore
    if isinstance(x.owner, arith.ExtUIOp):  # never negative
        w.extents[res] = 1 << x.owner.input.type.width.data  # pyright: ignore
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


def _vec_compare(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.CompareOp)
    prefix = "icmp" if isinstance(element_of(op.a.type), IntegerType) else "fcmp"
    w.define(op.res, f"{prefix} {op.predicate.data} {w.typed(op.a)}, {w.name(op.b)}")


def _select(w: Writer, op: Operation) -> None:
    cond, x, y = op.operands
    w.define(op.results[0], f"select {w.typed(cond)}, {w.typed(x)}, {w.typed(y)}")


def _any(w: Writer, op: Operation) -> None:
    """The truth values are the bits of an integer."""
    bits = f"i{lanes_of(op.operands[0].type)}"
    mask = w.let(f"bitcast {w.typed(op.operands[0])} to {bits}")
    w.define(op.results[0], f"icmp ne {bits} {mask}, 0")


def _vec_convert(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.ConvertOp)
    x, res = op.x.type, op.res.type
    of, to = element_of(x), element_of(res)
    wider = to.bitwidth > of.bitwidth  # pyright: ignore[reportAttributeAccessIssue]
    u = op.unsigned is not None
    match isinstance(of, IntegerType), isinstance(to, IntegerType):
        case False, True:
            _to_integer(w, op)
        case True, False:
            _convert(w, "uitofp" if u else "sitofp", op.x, op.res)
        case True, True:
            _convert(w, ("zext" if u else "sext") if wider else _truncation(op), op.x, op.res)
        case _:
            _convert(w, "fpext" if wider else "fptrunc", op.x, op.res)


def _truncation(op: vec.ConvertOp) -> str:
    """LLVM packs registers with saturation where it is told that nothing is cut off."""
    to = op.res.type
    return "trunc nuw" if fits(op.x, to, True) else "trunc nsw" if fits(op.x, to) else "trunc"


def _vec_bitcast(w: Writer, op: Operation) -> None:
    if w.type(op.operands[0].type) == w.type(op.results[0].type):
        w.alias(op.results[0], op.operands[0])
    else:
        _convert(w, "bitcast", op.operands[0], op.results[0])


def _splat_lane(w: Writer, op: Operation) -> None:
    """Copy one lane, a whole group of elements if there are groups."""
    assert isinstance(op, vec.SplatLaneOp)
    t = op.vec.type
    assert isinstance(t, VectorType)
    text = f"{w.typed(op.vec)}, {w.type(t)} poison, {_mask([op.lane.data] * t.get_shape()[0], t)}"
    w.define(op.res, f"shufflevector {text}")


def _shuffle(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.ShuffleOp)
    mask = _mask(op.lanes.get_values(), op.a.type)
    w.define(op.res, f"shufflevector {w.typed(op.a)}, {w.typed(op.b)}, {mask}")


def _mask(picked: Sequence[int], of: Attribute) -> str:
    """Which elements these lanes are, whole groups of them if there are groups."""
    size = prod(vec.shape_of(of)[1:])
    elements = [lane * size + k for lane in picked for k in range(size)]
    return f"<{len(elements)} x i32> {constant(elements, VectorType(i32, [len(elements)]))}"


def _sum_of_groups(w: Writer, op: Operation) -> None:
    """One instruction of this CPU, on as many lanes as one of its registers has."""
    names, forms = SUMS[type(op)]
    count, machine = vec.shape_of(op.operands[0].type)[:1], w.machine
    if not count or count[0] not in names or count[0] > max(lanes(machine, f) for f in forms):
        raise w.error(
            f"no LLVM for {op.name} on {op.operands[0].type} for {machine.name}; run"
            " int8-lower-dot4 for this target"
        )
    args = [(w.type(v.type), w.name(v)) for v in op.operands]
    result = op.results[0]
    w.define(result, w.intrinsic(w.type(result.type), names[count[0]], *args))


HANDLERS: dict[type[Operation], Handler] = {
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(PICK, _pick),
    **dict.fromkeys(EXTREME, _extreme),
    **dict.fromkeys(INTRINSIC, _intrinsic),
    **dict.fromkeys(CAST, _cast),
    arith.ConstantOp: _constant,
    arith.MulSIExtendedOp: _multiply_extended,
    arith.NegfOp: _negate,
    arith.FPToSIOp: _to_integer,
    arith.FPToUIOp: _to_integer,
    arith.IndexCastOp: _index_cast,
    arith.CmpiOp: _compare("icmp", vec.INTEGER_PREDICATES),
    arith.CmpfOp: _compare("fcmp", vec.FLOAT_PREDICATES),
    arith.SelectOp: _select,
    math.RsqrtOp: _rsqrt,
    vec.ConvertOp: _vec_convert,
    vec.BitcastOp: _vec_bitcast,
    vec.CompareOp: _vec_compare,
    vec.AnyOp: _any,
    vec.SelectOp: _select,
    vec.SplatLaneOp: _splat_lane,
    vec.ShuffleOp: _shuffle,
    **dict.fromkeys(SUMS, _sum_of_groups),
}
