"""The text of `te.compute`, which no assembly format can say: a tensor expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr
from xdsl.ir import Region, SSAValue
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer

from lamina.dialects.te.attributes import AccessAttr, AxesAttr, BoundsAttr, ScheduleAttr

if TYPE_CHECKING:
    from lamina.dialects.te.ops import ComputeOp

GROUPS = ("ins", "extras", "out")


def print_compute(op: ComputeOp, printer: Printer) -> None:
    """Print everything after the op's name; an identity epilogue is left out."""
    if op.indices:
        bound = zip(op.outer.data, op.indices, strict=True)
        with printer.delimited(" at(", ")"):
            printer.print_list(bound, lambda b: _print_binding(printer, b[0].data, b[1]))
    with printer.indented():
        where = f" where {op.bounds}" if op.bounds.data else ""
        printer.print_string(f"\naxes{op.axes}{where}")
        accessed = zip(op.operands_in_order, op.accesses.data, strict=True)
        for group, n in zip(GROUPS, (len(op.inputs), len(op.extras), 1), strict=True):
            if n:
                items = [next(accessed) for _ in range(n)]
                with printer.delimited(f"\n{group}(", ")"):
                    printer.print_list(items, lambda item: _print_access(printer, *item))
        printer.print_string("\ninit ")
        printer.print_attribute(op.init)
        if op.schedule is not None:
            printer.print_string(f"\nschedule {op.schedule}")
        if op.attributes:
            printer.print_string("\nattributes ")
            printer.print_attr_dict(op.attributes)
        printer.print_string("\n: ")
        printer.print_list(op.operands_in_order, lambda v: printer.print_attribute(v.type))
    printer.print_string(" ")
    _print_block(printer, op.body)
    if not op.has_identity_epilogue:
        printer.print_string(" epilogue ")
        _print_block(printer, op.epilogue)


def _print_binding(printer: Printer, name: str, value: SSAValue) -> None:
    printer.print_string(f"{name} = ")
    printer.print_ssa_value(value)


def _print_access(printer: Printer, value: SSAValue, access: AccessAttr) -> None:
    printer.print_ssa_value(value)
    printer.print_string(str(access))


def _print_block(printer: Printer, region: Region) -> None:
    with printer.in_parens():
        printer.print_list(region.block.args, printer.print_block_argument)
    printer.print_string(" ")
    printer.print_region(region, print_entry_block_args=False)


def parse_compute(cls: type[ComputeOp], parser: Parser) -> ComputeOp:
    """Parse everything after the op's name."""
    outer, indices = _parse_bindings(parser)
    parser.parse_keyword("axes")
    axes = AxesAttr.read(parser)
    bounds = BoundsAttr.read(parser) if parser.parse_optional_keyword("where") else ()
    accesses: list[AccessAttr] = []
    refs = [_parse_group(parser, group, accesses) for group in GROUPS]
    init = _parse_init(parser)
    schedule = None
    if parser.parse_optional_keyword("schedule"):
        schedule = ScheduleAttr(ScheduleAttr.read(parser))
    attributes = parser.parse_optional_attr_dict_with_keyword()
    inputs, extras, (out,) = _resolve(parser, refs)
    body = _parse_block(parser)
    epilogue = _parse_block(parser) if parser.parse_optional_keyword("epilogue") else None
    op = cls(
        axes, accesses, init, inputs, extras, out, body, epilogue, outer, indices, schedule, bounds
    )
    op.attributes = dict(attributes.data) if attributes else {}
    return op


def _parse_bindings(parser: Parser) -> tuple[list[str], list[SSAValue]]:
    outer: list[str] = []
    indices: list[SSAValue] = []

    def binding() -> None:
        outer.append(parser.parse_identifier())
        parser.parse_punctuation("=")
        indices.append(parser.resolve_operand(parser.parse_unresolved_operand(), IndexType()))

    if parser.parse_optional_keyword("at"):
        parser.parse_comma_separated_list(parser.Delimiter.PAREN, binding)
    return outer, indices


def _parse_group(parser: Parser, group: str, accesses: list[AccessAttr]) -> list[UnresolvedOperand]:
    def access() -> UnresolvedOperand:
        ref = parser.parse_unresolved_operand()
        accesses.append(AccessAttr(AccessAttr.read(parser)))
        return ref

    if group == "out":
        parser.parse_keyword(group)
        with parser.in_parens():
            return [access()]
    if not parser.parse_optional_keyword(group):
        return []
    return parser.parse_comma_separated_list(parser.Delimiter.PAREN, access)


def _parse_init(parser: Parser) -> FloatAttr | IntegerAttr:
    parser.parse_keyword("init")
    start = parser.pos
    init = parser.parse_attribute()
    if isinstance(init, FloatAttr | IntegerAttr):
        return cast(FloatAttr | IntegerAttr, init)
    parser.raise_error(f"init must be a number with its type, got {init}", start, parser.pos)


def _resolve(parser: Parser, refs: Sequence[list[UnresolvedOperand]]) -> list[list[SSAValue]]:
    start = parser.pos
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    if len(types) != (n := sum(map(len, refs))):
        parser.raise_error(f"need {n} types, one a buffer, got {len(types)}", start, parser.pos)
    todo = iter(types)
    return [[parser.resolve_operand(ref, next(todo)) for ref in group] for group in refs]


def _parse_block(parser: Parser) -> Region:
    args = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_argument)
    return parser.parse_region(args)
