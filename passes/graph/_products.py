"""What an op of a network does: the bytes that it moves, the products that it adds up."""

from __future__ import annotations

from math import prod

from xdsl.dialects.builtin import FixedBitwidthType, TensorType
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa

from lamina.backends.dot4 import per_cycle
from lamina.backends.machine import Machine
from lamina.dialects.graph import Conv2dOp, DenseOp, MatmulOp, shape, tensor_type

FOUR = 4
"""products of bytes in a group that `per_cycle` counts"""


def seconds_of(op: Operation, machine: Machine) -> float:
    """
    How long all of a machine, a core of a CPU, takes at best: to move the bytes or to add up the
    products, whichever takes longer, and to begin.
    """
    rates = machine.rates
    moved = bytes_of(op) / rates.dram
    computed = multiply_adds_of(op) / _multiply_adds_per_cycle(op, machine)
    return rates.seconds(max(moved, computed) / machine.units + rates.call_cycles)


def bytes_of(op: Operation) -> int:
    """Of its operands and its results, each once."""
    types = (value.type for value in {*op.operands, *op.results})
    return sum(
        prod(t.get_shape()) * t.element_type.size
        for t in types
        if isa(t, TensorType[Attribute]) and isinstance(t.element_type, FixedBitwidthType)
    )


def multiply_adds_of(op: Operation) -> int:
    """Products that are added up, those with zeros outside of an image too; 0 for other ops."""
    match op:
        case Conv2dOp():
            return prod(shape(op.y)) * prod(shape(op.w)[1:])
        case DenseOp():
            return prod(shape(op.y)) * shape(op.w)[1]
        case MatmulOp():
            return prod(shape(op.y)) * shape(op.a)[-1]
        case _:
            return 0


def _multiply_adds_per_cycle(op: Operation, machine: Machine) -> float:
    """Of the elements that an op multiplies: bytes four by four, where that is faster."""
    floats = machine.rates.flops_per_cycle / 2
    if not isinstance(op, Conv2dOp | DenseOp | MatmulOp):
        return floats
    elements = [tensor_type(x).element_type for x in list(op.operands)[:2]]
    small = all(isinstance(e, FixedBitwidthType) and e.size == 1 for e in elements)
    return FOUR * per_cycle(machine) if small else floats
