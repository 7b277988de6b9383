"""
Check that every value is defined before it is used and used only where it is visible, which xDSL's
parser and verifier both leave unchecked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue
from xdsl.irdl.dominance import DominanceInfo
from xdsl.passes import ModulePass
from xdsl.traits import IsolatedFromAbove
from xdsl.utils.exceptions import PassFailedException


class Dominance:
    """Answers whether a value may be used at an op, for one module that does not change."""

    def __init__(self) -> None:
        self._positions: dict[Block, dict[Operation, int]] = {}
        self._blocks: dict[Region, DominanceInfo] = {}

    def problem(self, value: SSAValue, user: Operation) -> str | None:
        """What is wrong with `user` using `value`; None if nothing is."""
        definition = value.owner
        block = definition if isinstance(definition, Block) else definition.parent_block()
        at: Operation | None = user
        while at is not None and block is not None and at.parent_region() is not block.parent:
            at = at.parent_op()
            if at is not None and at.has_trait(IsolatedFromAbove):
                at = None
        if at is None or block is None or (here := at.parent_block()) is None:
            return "outside the region it is visible in"
        if here is not block:
            return None if self._dominates(block, here) else "where it may not be defined"
        if at is definition:
            return "in its own definition"
        if isinstance(definition, Block) or self._before(definition, at, block):
            return None
        return "before it is defined"

    def _before(self, first: Operation, second: Operation, block: Block) -> bool:
        if block not in self._positions:
            self._positions[block] = {op: i for i, op in enumerate(block.ops)}
        return self._positions[block][first] < self._positions[block][second]

    def _dominates(self, first: Block, second: Block) -> bool:
        region = first.parent
        assert region is not None
        if region not in self._blocks:
            self._blocks[region] = DominanceInfo(region)
        return self._blocks[region].strictly_dominates(first, second)


def violations(module: ModuleOp) -> Iterator[str]:
    """Every use of a value where it is not defined, as a message."""
    dominance = Dominance()
    for user in module.walk():
        for k, value in enumerate(user.operands):
            if (problem := dominance.problem(value, user)) is not None:
                where = f"operand {k} of {user.name} in {_function(user)}"
                yield f"{_show(value)} is used {problem} ({where})"


def _show(value: SSAValue) -> str:
    if isinstance(value, OpResult):
        place = f"result {value.index} of {value.op.name}"
    else:
        assert isinstance(value, BlockArgument)
        parent = value.owner.parent_op()
        place = f"argument {value.index} of {parent.name if parent else 'a block'}"
    return f"%{value.name_hint}, {place}," if value.name_hint else place


def _function(op: Operation) -> str:
    parent: Operation | None = op
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return f"@{parent.sym_name.data}" if parent is not None else "the module"


@dataclass(frozen=True)
class VerifyDominancePass(ModulePass):
    """Fail, naming value and op, if a value is used before its definition or out of its scope."""

    name = "verify-dominance"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = list(violations(op))
        if found:
            more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
            raise PassFailedException(f"{self.name}: {found[0]}{more}")
