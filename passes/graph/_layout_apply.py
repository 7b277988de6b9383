"""Rewriting a function so that every op reads and writes the layouts that were chosen for it."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.hints import isa

from lamina.dialects.graph import DEVICE, RelayoutOp, inherit_source, layout_of, stored_as
from lamina.dialects.layout import Layout
from lamina.passes.graph._layout_candidates import Candidate
from lamina.passes.graph._layout_devices import device_at
from lamina.passes.graph._layout_wants import wanted


def apply(f: func.FuncOp, chosen: Mapping[Operation, Candidate]) -> None:
    """Let ops compute in the layouts chosen for them; what they read is relaid before, once."""
    _Rewrite(chosen).function(f)


class _Rewrite:
    def __init__(self, chosen: Mapping[Operation, Candidate]) -> None:
        self.chosen = chosen
        self.stored: dict[SSAValue, SSAValue] = {}
        """each value of the old ops -> where it is stored first"""
        self.copies: dict[tuple[SSAValue, Layout], SSAValue] = {}

    def function(self, f: func.FuncOp) -> None:
        replaced: list[Operation] = []
        for op in list(f.body.block.ops):
            candidate = self.chosen.get(op)
            operands = [self.operand(op, index, candidate) for index in range(len(op.operands))]
            if candidate is None or _is_as_chosen(op, candidate):
                op.operands = operands
                continue
            self.replace(op, operands, candidate)
            replaced.append(op)
        for op in reversed(replaced):
            Rewriter.erase_op(op)

    def operand(self, op: Operation, index: int, candidate: Candidate | None) -> SSAValue:
        """What `op` is to read instead of this operand."""
        old = op.operands[index]
        value = self.stored.get(old, old)
        if not isa(old.type, TensorType):
            return value
        layout = layout_of(old.type) if candidate is None else wanted(op, index, candidate)
        if layout is None or layout == layout_of(value.type):
            return value
        if (old, layout) not in self.copies:
            copy = RelayoutOp(value, stored_as(value.type, layout))
            copy.y.name_hint = old.name_hint
            if isinstance(old.owner, Operation):
                inherit_source(copy, old.owner)
            if device := device_at(old):
                copy.attributes[DEVICE] = device
            Rewriter.insert_op(copy, InsertPoint.before(op))
            self.copies[old, layout] = copy.y
        return self.copies[old, layout]

    def replace(self, op: Operation, operands: list[SSAValue], candidate: Candidate) -> None:
        """The same op, with these operands and its result stored as chosen."""
        old = op.results[0]
        new = type(op).create(
            operands=operands,
            properties=op.properties,
            attributes=op.attributes,
            result_types=[stored_as(old.type, candidate.y)],
        )
        new.results[0].name_hint = old.name_hint
        Rewriter.insert_op(new, InsertPoint.before(op))
        self.stored[old] = new.results[0]


def _is_as_chosen(op: Operation, candidate: Candidate) -> bool:
    return layout_of(op.results[0].type) == candidate.y
