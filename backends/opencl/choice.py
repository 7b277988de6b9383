"""
Comparisons, selects and truth values as OpenCL C.

An i1 is a `bool` variable, and a byte in memory, where a pointer to bool may not go.
"""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, Operation

from lamina.backends.opencl.writer import Handler, Writer
from lamina.dialects import vector as vec
from lamina.dialects.vector import element_of

FLOATS: dict[str, str] = {
    "false": "false",
    "oeq": "{a} == {b}",
    "ogt": "{a} > {b}",
    "oge": "{a} >= {b}",
    "olt": "{a} < {b}",
    "ole": "{a} <= {b}",
    "one": "{a} < {b} || {a} > {b}",
    "ord": "{a} == {a} && {b} == {b}",
    "ueq": "!({a} < {b} || {a} > {b})",
    "ugt": "!({a} <= {b})",
    "uge": "!({a} < {b})",
    "ult": "!({a} >= {b})",
    "ule": "!({a} > {b})",
    "une": "{a} != {b}",
    "uno": "{a} != {a} || {b} != {b}",
    "true": "true",
}
INTEGERS: dict[str, str] = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
"""by the predicate without the letter that says whether it is signed"""


def is_bool(type: Attribute) -> bool:
    """Whether each lane is a truth value."""
    return element_of(type) == IntegerType(1)


def _compare(w: Writer, op: Operation, predicate: str) -> None:
    a, b = op.operands
    x, y, type = w.name(a), w.name(b), w.type(a.type)
    if not isinstance(element_of(a.type), IntegerType):
        w.define(op.results[0], FLOATS[predicate].format(a=x, b=y))
        return
    if predicate.startswith("s"):
        if is_bool(a.type):  # true is -1
            x, y = y, x
        else:
            x, y = (f"as_{type.removeprefix('u')}({v})" for v in (x, y))
    operator = INTEGERS[predicate if predicate in INTEGERS else predicate[1:]]
    w.define(op.results[0], f"{x} {operator} {y}")


def _vec_compare(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.CompareOp)
    _compare(w, op, op.predicate.data)


def _arith_compare(w: Writer, op: Operation) -> None:
    assert isinstance(op, arith.CmpfOp | arith.CmpiOp)
    floats = isinstance(op, arith.CmpfOp)
    known = vec.FLOAT_PREDICATES if floats else vec.INTEGER_PREDICATES
    _compare(w, op, known[op.predicate.value.data])


def _select(w: Writer, op: Operation) -> None:
    cond, a, b = map(w.name, op.operands)
    w.define(op.results[0], f"{cond} ? {a} : {b}")


def convert_bool(w: Writer, op: vec.ConvertOp) -> None:
    """From a truth value a 1, which a signed i1 has as -1; to one the lowest bit."""
    x, target = w.name(op.x), w.type(op.res.type)
    if not is_bool(op.x.type):
        if not isinstance(element_of(op.x.type), IntegerType):
            raise w.error(f"no OpenCL for {op.name} of {op.x.type} to i1; use vec.compare")
        w.define(op.res, f"{x} & 1")
        return
    w.define(op.res, f"({target})({x} ? {'1' if op.unsigned is not None else '-1'} : 0)")


HANDLERS: dict[type[Operation], Handler] = {
    vec.CompareOp: _vec_compare,
    vec.SelectOp: _select,
    arith.CmpfOp: _arith_compare,
    arith.CmpiOp: _arith_compare,
    arith.SelectOp: _select,
}
