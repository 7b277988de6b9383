"""What `int8-annotate` writes on ops and arguments, for later passes to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue

RANGE = "int8.range"
"""on what computes a tensor of 8 bits: the names of the tensors whose range it has"""
LAYER = "int8.layer"
"""on an op that computes in 8 bits, with weights in 8 bits if it has some"""


def annotate(value: SSAValue, names: Sequence[str]) -> None:
    """Note that a tensor is to have 8 bits, with the range of the tensors of these names."""
    found = ArrayAttr(map(StringAttr, names))
    if isinstance(value.owner, Operation):
        value.owner.attributes[RANGE] = found
        return
    main = function_of(value.owner)
    attributes = _arguments(main)
    k = list(main.args).index(value)  # pyright: ignore[reportArgumentType]
    attributes[k] = DictionaryAttr({**attributes[k].data, RANGE: found})
    main.arg_attrs = ArrayAttr(attributes)


def range_names(value: SSAValue) -> list[str]:
    """The names that `annotate` noted; none for a tensor that stays float."""
    if isinstance(value.owner, Operation):
        found = value.owner.attributes.get(RANGE)
    else:
        main = function_of(value.owner)
        found = _arguments(main)[list(main.args).index(value)].data.get(RANGE)  # pyright: ignore[reportArgumentType]
    if not isinstance(found, ArrayAttr):
        return []
    return [a.data for a in cast(ArrayAttr[Attribute], found) if isinstance(a, StringAttr)]


def function_of(block: Block) -> FuncOp:
    """The function whose body a block is."""
    parent = block.parent_op()
    assert isinstance(parent, FuncOp)
    return parent


def _arguments(main: FuncOp) -> list[DictionaryAttr]:
    if main.arg_attrs is None:
        return [DictionaryAttr({}) for _ in main.args]
    return list(main.arg_attrs)
