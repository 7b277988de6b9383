"""What `int8-annotate` writes on ops and arguments, for later passes to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

RANGE = "int8.range"
"""on what computes a tensor of 8 bits: the names of the tensors whose range it has"""
LAYER = "int8.layer"
"""on an op that computes in 8 bits, with weights in 8 bits if it has some"""


def annotate(value: SSAValue, names: Sequence[str]) -> None:
    """Note that a tensor is to have 8 bits, with the range of the tensors of these names."""
    _set(value, {**_attributes(value), RANGE: ArrayAttr(map(StringAttr, names))})


def forget(value: SSAValue) -> None:
    """The tensor is no longer to have 8 bits."""
    _set(value, {name: a for name, a in _attributes(value).items() if name != RANGE})


def range_names(value: SSAValue) -> list[str]:
    """The names that `annotate` noted; none for a tensor that stays float."""
    found = _attributes(value).get(RANGE)
    if not isinstance(found, ArrayAttr):
        return []
    return [a.data for a in cast(ArrayAttr[Attribute], found) if isinstance(a, StringAttr)]


def _attributes(value: SSAValue) -> Mapping[str, Attribute]:
    """Those of the op that computes a value, or of the argument that it is."""
    if isinstance(value, BlockArgument):
        return _arguments(_function(value))[value.index].data
    assert isinstance(value.owner, Operation)
    return value.owner.attributes


def _set(value: SSAValue, attributes: Mapping[str, Attribute]) -> None:
    if isinstance(value, BlockArgument):
        main = _function(value)
        arguments = _arguments(main)
        arguments[value.index] = DictionaryAttr(attributes)
        main.arg_attrs = ArrayAttr(arguments)
    else:
        assert isinstance(value.owner, Operation)
        value.owner.attributes = dict(attributes)


def _function(argument: BlockArgument) -> FuncOp:
    parent = argument.block.parent_op()
    assert isinstance(parent, FuncOp)
    return parent


def _arguments(main: FuncOp) -> list[DictionaryAttr]:
    if main.arg_attrs is None:
        return [DictionaryAttr({}) for _ in main.args]
    return list(main.arg_attrs)
