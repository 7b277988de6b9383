"""The loop dialect: perfect nests of counted loops with carried values, and choices of steps."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IndexType, IntAttr, StringAttr, i64
from xdsl.ir import Attribute, Block, BlockArgument, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    lazy_traits_def,
    operand_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.index import IndexAttr

MAPPINGS = ("parallel",)
"""What a nest may promise beyond order; the empty mapping promises nothing."""


@irdl_op_definition
class YieldOp(IRDLOperation):
    """
    End an iteration with the carried values of the next one; printed only if there are some.

    loop.yield %sum : f32
    """

    name = "loop.yield"

    values = var_operand_def()

    traits = lazy_traits_def(lambda: (IsTerminator(), HasParent(ForOp, IfOp)))
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue] = ()) -> None:
        super().__init__(operands=[values])


@irdl_op_definition
class ForOp(IRDLOperation):
    """
    Run the body for every 0 <= i < 4, 0 <= j < 3, ..., the last index fastest; the values in `iter`
    are carried through all of these iterations. `parallel` promises that any order, and all at
    once, gives the same result; such a nest carries nothing.

    %r = loop.for %i < 4, %j < 3 iter(%a = %x) : f32 { loop.yield %a : f32 }
    """

    name = "loop.for"

    inits = var_operand_def()
    extents = prop_def(DenseArrayBase.constr(i64))
    mapping = prop_def(StringAttr)
    body = region_def("single_block")
    res = var_result_def()

    traits = traits_def(RecursiveMemoryEffect())

    def __init__(
        self,
        extents: Sequence[int],
        inits: Sequence[SSAValue] = (),
        mapping: str = "",
        body: Region | None = None,
        hints: Sequence[str | None] = (),
    ) -> None:
        types = [v.type for v in inits]
        if body is None:
            block = Block(arg_types=[*([IndexType()] * len(extents)), *types])
            for arg, hint in zip(block.args, hints, strict=False):
                arg.name_hint = hint
            body = Region(block)
        super().__init__(
            operands=[inits],
            regions=[body],
            result_types=[types],
            properties={
                "extents": DenseArrayBase.from_list(i64, extents),
                "mapping": StringAttr(mapping),
            },
        )

    @property
    def indices(self) -> Sequence[BlockArgument]:
        """The index values inside the body, outermost first."""
        return self.body.block.args[: len(self.extents)]

    @property
    def carried(self) -> Sequence[BlockArgument]:
        """The carried values inside the body, in the order of `inits` and `res`."""
        return self.body.block.args[len(self.extents) :]

    def verify_(self) -> None:
        if (mapping := self.mapping.data) not in ("", *MAPPINGS):
            known = ", ".join(MAPPINGS)
            raise VerifyException(f"mapping must be one of {known} or empty, got '{mapping}'")
        extents = self.extents.get_values()
        if not extents or min(extents) < 1:
            raise VerifyException(f"a nest needs extents of at least 1, got {list(extents)}")
        if mapping and self.inits:
            raise VerifyException(
                f"a {mapping} nest cannot carry values, got {len(self.inits)}: "
                "keep them in an inner nest, or in memory"
            )
        args = [*([IndexType()] * len(extents)), *self.inits.types]
        _same_types("the body's arguments", self.body.block.args, args)
        _same_types("the results", self.results, self.inits.types)
        if not isinstance(end := self.body.block.last_op, YieldOp):
            found = end.name if end else "an empty block"
            raise VerifyException(f"the body must end in loop.yield, got {found}")
        _same_types("the values of loop.yield", end.values, self.inits.types)

    def print(self, printer: Printer) -> None:
        for k, (i, n) in enumerate(zip(self.indices, self.extents.get_values(), strict=True)):
            printer.print_string(", " if k else " ")
            printer.print_ssa_value(i)
            printer.print_string(f" < {n}")
        printer.print_string(f" {self.mapping.data}".rstrip())
        if self.inits:
            self._print_carried(printer)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        end = self.body.block.last_op
        plain = isinstance(end, YieldOp) and not end.values and not end.attributes
        printer.print_region(
            self.body, print_entry_block_args=False, print_block_terminators=not plain
        )

    def _print_carried(self, printer: Printer) -> None:
        def pair(p: tuple[SSAValue, SSAValue]) -> None:
            printer.print_ssa_value(p[0])
            printer.print_string(" = ")
            printer.print_ssa_value(p[1])

        printer.print_string(" iter")
        with printer.in_parens():
            printer.print_list(list(zip(self.carried, self.inits, strict=True)), pair)
        printer.print_string(" : ")
        types = self.inits.types
        shown = types[:1] if len(set(types)) == 1 else types  # one type stands for all
        printer.print_list(shown, printer.print_attribute)

    @classmethod
    def parse(cls, parser: Parser) -> ForOp:
        def bound() -> tuple[Parser.UnresolvedArgument, int]:
            index = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("<")
            return index, parser.parse_integer()

        bounds = parser.parse_comma_separated_list(parser.Delimiter.NONE, bound)
        indices = [index.resolve(IndexType()) for index, _ in bounds]
        mapping = parser.parse_optional_keyword_in(MAPPINGS) or ""
        args, inits = cls._parse_carried(parser)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region([*indices, *args])
        if not isinstance(body.block.last_op, YieldOp) and not args:
            body.block.add_op(YieldOp())
        op = cls([n for _, n in bounds], inits, mapping, body)
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op

    @staticmethod
    def _parse_carried(parser: Parser) -> tuple[Sequence[Parser.Argument], Sequence[SSAValue]]:
        def pair() -> tuple[Parser.UnresolvedArgument, UnresolvedOperand]:
            arg = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            return arg, parser.parse_unresolved_operand()

        if not parser.parse_optional_keyword("iter"):
            return [], []
        pairs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, pair)
        parser.parse_punctuation(":")
        pos = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        if len(types) == 1:
            types *= len(pairs)
        if len(types) != len(pairs):
            parser.raise_error(
                f"expected one type, or one for each of {len(pairs)} carried values, "
                f"got {len(types)}",
                pos,
            )
        args = [a.resolve(t) for (a, _), t in zip(pairs, types, strict=True)]
        inits = [parser.resolve_operand(o, t) for (_, o), t in zip(pairs, types, strict=True)]
        return args, inits


@irdl_op_definition
class IfOp(IRDLOperation):
    """
    Run the first body where the index is less than the limit, else the second, if there is one.

    loop.if %i < 3 { func.call @most() : () -> () } else { func.call @last() : () -> () }
    """

    name = "loop.if"

    index = operand_def(IndexType)
    limit = prop_def(IntAttr)
    below = region_def("single_block")
    rest = region_def("single_block")

    traits = traits_def(RecursiveMemoryEffect())

    def __init__(
        self,
        index: SSAValue,
        limit: int,
        below: Region | None = None,
        rest: Region | None = None,
    ) -> None:
        regions = [Region(Block()) if r is None else r for r in (below, rest)]
        for region in regions:
            if not region.blocks:  # of `{}`
                region.add_block(Block())
            if not isinstance(region.block.last_op, YieldOp):
                region.block.add_op(YieldOp())
        super().__init__(operands=[index], regions=regions, properties={"limit": IntAttr(limit)})

    def verify_(self) -> None:
        for block in (self.below.block, self.rest.block):
            _same_types("the body's arguments", block.args, [])
            if not isinstance(end := block.last_op, YieldOp):
                found = end.name if end else "an empty block"
                raise VerifyException(f"the body must end in loop.yield, got {found}")
            _same_types("the values of loop.yield", end.values, [])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.index)
        printer.print_string(f" < {self.limit.data}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.below, print_block_terminators=_has_more(self.below))
        if len(self.rest.block.ops) > 1 or _has_more(self.rest):
            printer.print_string(" else ")
            printer.print_region(self.rest, print_block_terminators=_has_more(self.rest))

    @classmethod
    def parse(cls, parser: Parser) -> IfOp:
        index = parser.resolve_operand(parser.parse_unresolved_operand(), IndexType())
        parser.parse_punctuation("<")
        limit = parser.parse_integer()
        attributes = parser.parse_optional_attr_dict_with_keyword()
        below = parser.parse_region()
        rest = parser.parse_region() if parser.parse_optional_keyword("else") else None
        op = cls(index, limit, below, rest)
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op


def _has_more(region: Region) -> bool:
    """Whether the end of a body says more than that it is the end."""
    end = region.block.last_op
    return isinstance(end, YieldOp) and bool(end.attributes)


def extent_of(value: SSAValue) -> int | None:
    """How many values a loop index takes, from 0 on; None if `value` is not a loop index."""
    if not isinstance(value, BlockArgument) or not isinstance(op := value.block.parent_op(), ForOp):
        return None
    extents = op.extents.get_values()
    return extents[value.index] if value.index < len(extents) else None


def extent_at(value: SSAValue, op: Operation) -> int | None:
    """The same as far as `op` can see it: a `loop.if` around it lets only smaller values in."""
    extent = extent_of(value)
    block = op.parent
    while block is not None and block is not value.owner:
        around = block.parent_op()
        if isinstance(around, IfOp) and around.index is value and around.below is block.parent:
            limit = around.limit.data
            extent = limit if extent is None else min(extent, limit)
        block = around.parent if around is not None else None
    return extent


def _same_types(what: str, values: Sequence[SSAValue], types: Sequence[Attribute]) -> None:
    if (found := [v.type for v in values]) != list(types):
        shown = [", ".join(map(str, t)) or "nothing" for t in (types, found)]
        raise VerifyException(f"{what} must have types {shown[0]}, got {shown[1]}")


Loop = Dialect("loop", [ForOp, IfOp, YieldOp], [IndexAttr])
