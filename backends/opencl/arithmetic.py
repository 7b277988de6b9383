"""
arith, math, casts and int8.dot4 as OpenCL C: tables, and functions for the rest.

Integers are unsigned variables, whose arithmetic wraps around; signed ops look at them as signed.
Division and the functions of math have the accuracy that OpenCL gives them; all else is exact.
"""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IndexType, IntegerType
from xdsl.ir import Operation

from lamina.backends.opencl import choice
from lamina.backends.opencl.choice import convert_bool, is_bool
from lamina.backends.opencl.writer import Handler, Writer
from lamina.dialects import vector as vec
from lamina.dialects.int8 import Dot4Op
from lamina.dialects.vector import element_of, shape_of

INFIX: dict[type[Operation], str] = {
    arith.AddfOp: "+",
    arith.SubfOp: "-",
    arith.MulfOp: "*",
    arith.DivfOp: "/",
    arith.AddiOp: "+",
    arith.SubiOp: "-",
    arith.MuliOp: "*",
    arith.DivUIOp: "/",
    arith.RemUIOp: "%",
    arith.AndIOp: "&",
    arith.OrIOp: "|",
    arith.XOrIOp: "^",
    arith.ShLIOp: "<<",
    arith.ShRUIOp: ">>",
}
CALL: dict[type[Operation], str] = {
    arith.MaxnumfOp: "fmax",
    arith.MinnumfOp: "fmin",
    arith.MaxUIOp: "max",
    arith.MinUIOp: "min",
    math.FmaOp: "fma",
    math.AbsFOp: "fabs",
    math.CopySignOp: "copysign",
    math.SqrtOp: "sqrt",
    math.RsqrtOp: "rsqrt",
    math.FloorOp: "floor",
    math.CeilOp: "ceil",
    math.TruncOp: "trunc",
    math.RoundOp: "round",
    math.RoundEvenOp: "rint",
    math.ExpOp: "exp",
    math.Exp2Op: "exp2",
    math.LogOp: "log",
    math.Log2Op: "log2",
    math.PowFOp: "pow",
    math.TanhOp: "tanh",
    math.ErfOp: "erf",
    math.SinOp: "sin",
    math.CosOp: "cos",
    vec.RemOp: "fmod",
}
# a is kept if it is NaN, and b is taken if that is
EXTREME: dict[type[Operation], str] = {arith.MaximumfOp: ">", arith.MinimumfOp: "<"}
SIGNED: dict[type[Operation], str] = {
    arith.ShRSIOp: "{a} >> {b}",
    arith.DivSIOp: "{a} / {b}",
    arith.RemSIOp: "{a} % {b}",
    arith.MaxSIOp: "max({a}, {b})",
    arith.MinSIOp: "min({a}, {b})",
}


def _infix(w: Writer, op: Operation) -> None:
    a, b = map(w.name, op.operands)
    w.define(op.results[0], f"{a} {INFIX[type(op)]} {b}")


def _call(w: Writer, op: Operation) -> None:
    w.define(op.results[0], f"{CALL[type(op)]}({', '.join(map(w.name, op.operands))})")


def _extreme(w: Writer, op: Operation) -> None:
    a, b = map(w.name, op.operands)
    w.define(op.results[0], f"{a} != {a} || {a} {EXTREME[type(op)]} {b} ? {a} : {b}")


def _signed(w: Writer, op: Operation) -> None:
    unsigned = w.type(op.results[0].type)
    signed = unsigned.removeprefix("u")
    a, b = (f"as_{signed}({w.name(v)})" for v in op.operands)
    w.define(op.results[0], f"as_{unsigned}(({signed})({SIGNED[type(op)].format(a=a, b=b)}))")


def _multiply_extended(w: Writer, op: Operation) -> None:
    assert isinstance(op, arith.MulSIExtendedOp)
    unsigned = w.type(op.high.type)
    a, b = map(w.name, op.operands)
    if op.low.uses:
        w.define(op.low, f"{a} * {b}")
    signed = unsigned.removeprefix("u")
    w.define(op.high, f"as_{unsigned}(mul_hi(as_{signed}({a}), as_{signed}({b})))")


def _negate(w: Writer, op: Operation) -> None:
    w.define(op.results[0], f"-{w.name(op.operands[0])}")


def _constant(w: Writer, op: Operation) -> None:
    assert isinstance(op, arith.ConstantOp)
    w.type(op.result.type)  # refuses what no lane can hold
    w.names[op.result] = w.literal(op)


def _convert(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.ConvertOp)
    if shape_of(op.x.type)[1:]:
        raise w.error(f"no OpenCL for {op.name} of {op.x.type}, whose lanes are groups")
    if is_bool(op.x.type) or is_bool(op.res.type):
        convert_bool(w, op)
        return
    of, to, x = element_of(op.x.type), element_of(op.res.type), w.name(op.x)
    integers = isinstance(of, IntegerType), isinstance(to, IntegerType)
    target = w.type(op.res.type)
    if integers[0] and op.unsigned is None and not _narrows(of, to):
        x = f"as_{w.type(op.x.type).removeprefix('u')}({x})"
    if not integers[1]:
        w.define(op.res, f"convert_{target}({x})")
        return
    signed = target if op.unsigned is not None or _narrows(of, to) else target.removeprefix("u")
    text = f"convert_{signed}{'' if integers[0] else '_sat'}({x})"
    w.define(op.res, text if signed == target else f"as_{target}({text})")


def _narrows(of: object, to: object) -> bool:
    both = isinstance(of, IntegerType) and isinstance(to, IntegerType)
    return both and of.width.data > to.width.data  # pyright: ignore[reportAttributeAccessIssue]


def _as_unsigned(w: Writer, op: Operation) -> None:
    """What keeps the number, if it fits; an index that was read is one."""
    (x,), (res,) = op.operands, op.results
    if is_bool(res.type):
        raise w.error(f"no OpenCL for {op.name} to {res.type}; use vec.convert")
    w.define(res, f"({w.type(res.type)}){w.name(x)}")


def _index_cast(w: Writer, op: Operation) -> None:
    if not isinstance(op.results[0].type, IndexType):
        raise w.error(f"no OpenCL for {op.name} to {op.results[0].type}")
    _as_unsigned(w, op)


def _bitcast(w: Writer, op: Operation) -> None:
    of, to = op.operands[0].type, op.results[0].type
    if shape_of(to) and shape_of(of)[:1] != shape_of(to)[:1]:
        raise w.error(f"no OpenCL for {op.name} from {of} to {to}: lanes cannot become a group")
    w.define(op.results[0], f"as_{w.type(op.results[0].type)}({w.name(op.operands[0])})")


def _splat_lane(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.SplatLaneOp)
    if not w.subgroups:
        raise w.error(f"{op.name} is for subgroups; vec-stage-lanes does without")
    w.define(op.res, f"intel_sub_group_shuffle({w.name(op.vec)}, {op.lane.data})")


def _dot4(w: Writer, op: Operation) -> None:
    """The sum of four products is what compilers make one instruction of, where there is one."""
    acc, a, b = map(w.name, op.operands)
    products = " + ".join(f"as_uchar4({a}).{c} * as_char4({b}).{c}" for c in "xyzw")
    w.define(op.results[0], f"{acc} + as_uint({products})")


HANDLERS: dict[type[Operation], Handler] = {
    **choice.HANDLERS,
    **dict.fromkeys(INFIX, _infix),
    **dict.fromkeys(CALL, _call),
    **dict.fromkeys(EXTREME, _extreme),
    **dict.fromkeys(SIGNED, _signed),
    arith.ExtUIOp: _as_unsigned,
    arith.TruncIOp: _as_unsigned,
    arith.IndexCastOp: _index_cast,
    arith.NegfOp: _negate,
    arith.MulSIExtendedOp: _multiply_extended,
    arith.ConstantOp: _constant,
    vec.ConvertOp: _convert,
    arith.BitcastOp: _bitcast,
    vec.BitcastOp: _bitcast,
    vec.SplatLaneOp: _splat_lane,
    Dot4Op: _dot4,
}
