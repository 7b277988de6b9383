"""How many instructions the scalars of a tensor expression are, each as long as an addition."""

from __future__ import annotations

from types import MappingProxyType

from xdsl.ir import BlockArgument, Operation, Region, SSAValue

SELECTIONS, KEEPING_NAN = ("arith.maximumf", "arith.minimumf"), 6
"""a maximum of two variables needs a comparison more, and a selection by its mask, in turn"""
SLOW = MappingProxyType({"arith.divf": 8, "math.sqrt": 10})
"""instructions that keep a unit busy for as long as so many others"""
QUANTIZED = MappingProxyType(
    {
        "int8.dequantize": 4,
        "int8.requantize": 7,
        "int8.requantize_fixed": 12,
        "int8.quantize": 13,
    }
)
"""ops that are several instructions once they are expanded"""
COSTS = MappingProxyType({**SLOW, **QUANTIZED})


def instructions(region: Region) -> int:
    """
    Those of a body or an epilogue. A product that is added is none, nor is what widens a byte: a
    load does that.
    """
    total = 0
    for o in region.block.ops:
        if o.name in ("arith.constant", "te.yield") or _widens_what_is_read(o):
            continue
        users = [use.operation.name for r in o.results for use in r.uses]
        if o.name == "arith.mulf" and users == ["arith.addf"]:
            continue
        keeps_nan = o.name in SELECTIONS and not any(_is_constant(v) for v in o.operands)
        total += KEEPING_NAN if keeps_nan else COSTS.get(o.name, 1)
    return total


def _widens_what_is_read(o: Operation) -> bool:
    return o.name in ("arith.extui", "arith.extsi") and isinstance(o.operands[0], BlockArgument)


def _is_constant(v: SSAValue) -> bool:
    return isinstance(v.owner, Operation) and v.owner.name == "arith.constant"
