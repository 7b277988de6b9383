"""How long interpreting will take, before it is started."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, ShapedType
from xdsl.ir import Block, Operation

STEP = 3e-6
"""seconds to execute one op on a few numbers"""
ELEMENT = 1e-9
"""seconds more for every element of its result"""


class Estimate:
    """Adds up the ops that a function would execute, and how many elements they are on."""

    def __init__(self, module: ModuleOp, costs: Mapping[type[Operation], "Cost"]):
        self.functions = {op.sym_name.data: op for op in module.ops if isinstance(op, func.FuncOp)}
        self.costs = costs
        self._known: dict[str, float] = {}

    def function(self, name: str) -> float:
        """Seconds for one call of function `name`; 0 for one that is not there or has no body."""
        if name not in self._known:
            self._known[name] = 0.0  # a recursive call has no estimate
            f = self.functions.get(name)
            if f is not None and not f.is_declaration:
                self._known[name] = self.block(f.body.block)
        return self._known[name]

    def block(self, block: Block) -> float:
        """Seconds to execute `block` once."""
        return STEP + sum(self.op(op) for op in block.ops)

    def op(self, op: Operation) -> float:
        """Seconds to execute `op` once."""
        if isinstance(op, func.CallOp):
            return STEP + self.function(op.callee.string_value())
        if cost := self.costs.get(type(op)):
            return cost(self, op)
        elements = sum(
            prod(r.type.get_shape()) for r in op.results if isinstance(r.type, ShapedType)
        )
        return STEP + elements * ELEMENT


Cost = Callable[[Estimate, Any], float]
