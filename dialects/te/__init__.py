"""
The `te` dialect: one loop nest as a formula over named axes, and the schedule of that nest.

A `te.compute` stands in a kernel function, on memrefs. Its axis list *is* the loop nest, its index
maps are expressions over axis names, and a schedule is data on the op.
"""

from xdsl.ir import Dialect

from lamina.dialects.te._domain import count_points
from lamina.dialects.te.attributes import (
    MARKS,
    VERBS,
    AccessAttr,
    AxesAttr,
    Axis,
    Binding,
    Bound,
    BoundsAttr,
    Directive,
    ScheduleAttr,
)
from lamina.dialects.te.ops import ComputeOp, ConstantOp, YieldOp, identity, memref_type

__all__ = [
    "MARKS",
    "VERBS",
    "AccessAttr",
    "AxesAttr",
    "Axis",
    "Binding",
    "Bound",
    "BoundsAttr",
    "ComputeOp",
    "ConstantOp",
    "Directive",
    "ScheduleAttr",
    "Te",
    "YieldOp",
    "count_points",
    "identity",
    "memref_type",
]

Te = Dialect(
    "te", [ComputeOp, ConstantOp, YieldOp], [AxesAttr, AccessAttr, BoundsAttr, ScheduleAttr]
)
