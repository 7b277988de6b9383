"""What makes a `te.compute` well formed, beyond what its fields state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import VectorType, i32, i64
from xdsl.ir import Attribute, Block
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import loaded_as
from lamina.dialects.expr import RESERVED, Div, Expr
from lamina.dialects.te.attributes import MARKS, Axis

if TYPE_CHECKING:
    from lamina.dialects.te.ops import ComputeOp

_NAME = re.compile(r"[A-Za-z_]\w*")


def check_axes(axes: Sequence[Axis], outer: Sequence[str]) -> None:
    """Names are words of their own and unique; extents and marks make sense."""
    seen: set[str] = set()
    for name in (*(a.name for a in axes), *outer):
        if not _NAME.fullmatch(name) or name in RESERVED or name == "reduce":
            raise VerifyException(f"'{name}' cannot name an axis: need a word that is no keyword")
        if name in seen:
            raise VerifyException(f"axis '{name}' is bound twice: names must be unique")
        seen.add(name)
    for a in axes:
        if a.extent < 1:
            raise VerifyException(f"axis '{a.name}' needs an extent of at least 1, got {a.extent}")
        if a.mark and a.mark not in MARKS:
            raise VerifyException(
                f"axis '{a.name}' has mark '{a.mark}', expected one of {', '.join(MARKS)}"
            )
        if a.reduce and a.mark == "parallel":
            raise VerifyException(f"reduce axis '{a.name}' cannot be parallel")
    if len(vectors := [a.name for a in axes if a.mark == "vector"]) > 1:
        raise VerifyException(f"at most one vector axis, got {', '.join(vectors)}")


def check_names(op: ComputeOp) -> None:
    """Expressions use known names, and the output element is decided by the spatial axes alone."""
    known = {a.name for a in op.axes.data} | {n.data for n in op.outer.data}
    inputs, others = op.accesses.data[: len(op.inputs)], op.accesses.data[len(op.inputs) :]
    read = set[str]()  # names of integers, by the inputs up to here
    for access in inputs:
        _check_known(op, access.index, known | read)
        if access.binds:
            read.add(access.binds[0])
    _check_known(op, [e for a in others for e in a.index], known)
    _check_known(op, [e for e, _ in op.bounds.data], known)
    used = set[str]().union(*(e.names() for e in op.accesses.data[-1].index))
    bounded = set[str]().union(*(e.names() for e, _ in op.bounds.data))  # to one step, maybe
    for a in op.axes.data:
        if a.reduce and a.name in used:
            raise VerifyException(f"the output must not depend on reduce axis '{a.name}'")
        if not a.reduce and a.extent > 1 and a.name not in used | bounded:
            raise VerifyException(
                f"every step of '{a}' writes the same element of the output:"
                f" mark it reduce or use it in {op.accesses.data[-1]}"
            )


def _check_known(op: ComputeOp, expressions: Iterable[Expr], known: AbstractSet[str]) -> None:
    for e in expressions:
        bad = e.names() - known
        if read := bad & op.binders.keys():
            name = min(read)
            binder = op.accesses.data[op.binders[name]]
            raise VerifyException(f"'{e}' uses '{name}', which only inputs after {binder} may")
        if bad:
            raise VerifyException(f"no axis '{min(bad)}' for '{e}' in {op.axes}")


def check_binders(op: ComputeOp) -> None:
    """Only integers of inputs have names, each one of its own, and no padding is one of them."""
    names = [a.binds[0] for a in op.accesses.data if a.binds]
    if repeated := [n for k, n in enumerate(names) if n in names[:k]]:
        raise VerifyException(f"'{repeated[0]}' is bound twice: names must be unique")
    for name, k in op.binders.items():
        access, element = op.accesses.data[k], op.element_type(k)
        if k >= len(op.inputs):
            raise VerifyException(f"only inputs can bind a name, got {access} behind them")
        if element not in (i32, i64):
            raise VerifyException(f"{access} needs a buffer of i32 or i64, got {element}")
        if op.group_size(k) > 1:
            raise VerifyException(f"{access} needs one integer, but a group of neighbours is read")
        if access.pad is not None:
            raise VerifyException(f"{access} cannot be padded: '{name}' has to be an integer read")
        if op.ranges[name] < 1:
            raise VerifyException(
                f"'{name}' needs an extent of at least 1, got {op.ranges[name]} in {access}"
            )


def check_accesses(op: ComputeOp) -> None:
    """Ranks agree, the output is not padded, and no access is certain to leave its buffer."""
    for k, (access, value) in enumerate(zip(op.accesses.data, op.operands_in_order, strict=True)):
        shape = op.shape(k)
        if min(shape, default=0) < 0:
            raise VerifyException(f"te needs static shapes, got {value.type}")
        if len(access.index) != len(shape):
            raise VerifyException(
                f"access {access} has {len(access.index)} dimensions, but {value.type} has"
                f" {len(shape)}"
            )
        if access.pad is None:
            _check_inside(op, k, shape)
    if op.accesses.data[-1].pad is not None:
        raise VerifyException(f"the output cannot be padded, got {op.accesses.data[-1]}")
    _check_in_place(op)


def _check_inside(op: ComputeOp, k: int, shape: Sequence[int]) -> None:
    ranges, ref = op.ranges, op.operands_in_order[k]
    last = [n - op.group_size(k) + 1 for n in shape[-1:]]  # where a group of neighbours may begin
    for e, n in zip(op.accesses.data[k].index, (*shape[:-1], *last), strict=True):
        limits = e.bounds(ranges)
        if limits is None or (0 <= limits[0] and limits[1] < n):
            continue
        if not e.names() <= ranges.keys():  # then only a mod has limits
            continue
        for at in _corners(e, ranges):
            value = e.evaluate(at)
            if not 0 <= value < n and _computed(op, at):
                where = ", ".join(f"{x} = {at[x]}" for x in sorted(e.names()))
                promised = e.names() & op.binders.keys()
                raise VerifyException(
                    f"'{e}' is {value} at {where or 'every point'}, but must be 0 to {n - 1} in"
                    f" {ref.type}: add pad or a {'smaller extent' if promised else 'where bound'}"
                )


def _corners(e: Expr, ranges: Mapping[str, int]) -> Iterable[dict[str, int]]:
    """The points of the domain where `e` is least and greatest, if there is no mod in it."""
    signs = dict.fromkeys(ranges, 0) | _signs(e, 1)
    yield {x: n - 1 if signs[x] < 0 else 0 for x, n in ranges.items()}
    yield {x: n - 1 if signs[x] > 0 else 0 for x, n in ranges.items()}


def _signs(e: Expr, sign: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for atom, c in e.terms:
        if isinstance(atom, Div):
            found |= _signs(atom.of, sign if c > 0 else -sign)
        else:
            found[atom] = sign if c > 0 else -sign
    return found


def _computed(op: ComputeOp, at: Mapping[str, int]) -> bool:
    """Whether all bounds are known to hold at this point."""
    return all(e.names() <= at.keys() and e.evaluate(at) < n for e, n in op.bounds.data)


def _check_in_place(op: ComputeOp) -> None:
    """An op may read its output buffer only at the very element that it writes."""
    written = op.accesses.data[-1].index
    for access, value in zip(op.accesses.data[:-1], op.operands_in_order, strict=False):
        if value is op.out and access.index != written:
            raise VerifyException(
                f"the output buffer is also read at {access}, not where it is written,"
                f" {op.accesses.data[-1]}: points would see each other's results"
            )


def check_regions(op: ComputeOp) -> None:
    """Block arguments and yields have the types of what they stand for."""
    init, n = op.init.type, len(op.inputs)
    elements = [loaded_as(op.element_type(k)) for k in range(len(op.accesses.data))]
    _check_block(op.body.block, "body", elements[:n], "inputs", init, (init,), last=True)
    extras, out = elements[n:-1], elements[-1]
    _check_block(op.epilogue.block, "epilogue", extras, "extras", init, out, last=False)


def _check_block(
    block: Block,
    what: str,
    read: Sequence[Sequence[Attribute]],
    group: str,
    init: Attribute,
    result: Sequence[Attribute],
    last: bool,
) -> None:
    """The arguments are the elements read and the accumulator, which comes last or first."""
    types = [a.type for a in block.args]
    accumulator, scalars = (types[-1:], types[:-1]) if last else (types[:1], types[1:])
    if len(types) != len(read) + 1:
        raise VerifyException(
            f"the {what} needs {len(read) + 1} arguments, {len(read)} for the {group} and the"
            f" accumulator, got {len(types)}"
        )
    if accumulator[0] != init:
        raise VerifyException(f"the {what}'s accumulator must be {init}, got {accumulator[0]}")
    for got, elements in zip(scalars, read, strict=True):
        if got not in elements and not _is_group(got, elements[0]):
            raise VerifyException(
                f"the {what} reads {_either(elements)} or a vector of it from its {group},"
                f" got {got}"
            )
    end = block.last_op
    if end is None or end.name != "te.yield":
        raise VerifyException(f"the {what} must end in te.yield, got {end and end.name}")
    if end.operands[0].type not in result:
        raise VerifyException(
            f"the {what} must yield {_either(result)}, got {end.operands[0].type}"
        )


def _either(types: Sequence[Attribute]) -> str:
    return " or ".join(map(str, types))


def _is_group(got: Attribute, element: Attribute) -> bool:
    """vector<4xi8> for i8: a few neighbours read at once."""
    if not isinstance(got, VectorType):
        return False
    vector = cast(VectorType[Attribute], got)
    return vector.get_num_dims() == 1 and vector.element_type == element
