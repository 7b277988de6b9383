"""Sums of products of quantized tensors, written as sums of products of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, i32, i64
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter

from lamina.dialects.elements import integer_range
from lamina.dialects.graph import (
    AddOp,
    Conv2dOp,
    DenseOp,
    DequantizeOp,
    MatmulOp,
    cast_type,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant, known
from lamina.passes.int8._parameters import (
    SMALLEST,
    Parameters,
    bytes_before,
    parameters,
    reshaped,
)
from lamina.passes.int8._weights import Weights, fits, weights_of_bytes
from lamina.weights import WeightStore

CLOSE = 1e-6
"""scales that differ by less, as a part of them, are the same one rounded in another way"""


@dataclass(frozen=True)
class Sum:
    """A sum of products of bytes in the making: what `op` is on the integers of its operands."""

    op: Conv2dOp | DenseOp | MatmulOp
    x: DequantizeOp
    of_x: Parameters
    w: Weights
    store: WeightStore

    @property
    def zero(self) -> int:
        """The zero point of x."""
        return int(self.of_x.zero.item())

    @property
    def scale(self) -> np.ndarray:
        """What a step of the sum is worth for each output, [o] or [1]."""
        return (self.of_x.scale * self.w.scale).astype(np.float32).reshape(-1)

    def bias(self, value: SSAValue | None) -> np.ndarray | None:
        """The bias in steps of the sum, [o], if it is given in such steps or not at all."""
        outputs = len(self.w.array)
        if value is None:
            return np.zeros(outputs, np.int64)
        op = value.owner
        steps = known(op.x, self.store) if isinstance(op, DequantizeOp) else None
        p = parameters(op, self.store) if isinstance(op, DequantizeOp) else None
        if steps is None or p is None or p.zero.any() or steps.dtype.kind not in "iu":
            return None
        if not np.allclose(p.scale.reshape(-1), self.scale, rtol=CLOSE, atol=0):
            return None
        return np.broadcast_to(steps.reshape(-1).astype(np.int64), (outputs,))

    def sums(self, bias: np.ndarray, rewriter: PatternRewriter) -> SSAValue:
        """The i32 sums: of products with weights of 8 bits, or with two tensors of such weights."""
        w = self.w.array
        parts = [w] if w.itemsize == 1 else [low := np.clip(w, -128, 127), w - low]
        found: list[SSAValue] = []
        for n, part in enumerate(parts):
            more = bias if n == 0 else np.zeros_like(bias)
            more = more - self.zero * part.reshape(len(part), -1).sum(1, dtype=np.int64)
            new = self.summed(part.astype(np.int8, copy=False), more, rewriter)
            found.append(rewriter.insert(new).results[0])
        if len(found) == 1:
            return found[0]
        return rewriter.insert(AddOp(found[0], found[1])).y

    def summed(self, w: np.ndarray, bias: np.ndarray, rewriter: PatternRewriter) -> Operation:
        """The op on integers."""
        op, y = self.op, cast_type(self.op.y, i32)
        if w is self.w.array and self.w.constant is not None:
            weights = self.w.constant
        else:
            weights = rewriter.insert(constant(w, self.store)).result
        weights.name_hint = op.operands[1].name_hint
        operands = [self.x.x, weights]
        if bias.any():
            wrapped = bias.astype(np.uint32).view(np.int32)  # modulo 2**32, as the sums are
            added = rewriter.insert(constant(wrapped, self.store))
            added.result.name_hint = "bias"
            operands.append(added.result)
        if isinstance(op, Conv2dOp):
            outside = self.zero and any(op.pads.get_values())
            fill = {"fill": IntegerAttr(self.zero, i64)} if outside else {}
            properties = {k: v for k, v in op.properties.items() if k != "fill"} | fill
            return Conv2dOp.create(operands=operands, properties=properties, result_types=[y])
        return DenseOp.create(operands=operands, result_types=[y])


def realize(
    op: Conv2dOp | DenseOp | MatmulOp,
    w: SSAValue,
    outputs: int,
    order: Sequence[int],
    store: WeightStore,
    rewriter: PatternRewriter,
) -> None:
    """
    Replace `op` by one on integers if it can be: `outputs` is the dimension of its weights `w` that
    numbers the outputs, `order` permutes them to have it first.
    """
    x, weights = bytes_before(op.operands[0]), weights_of_bytes(w.owner, outputs, order, store)
    of_x = parameters(x, store) if x is not None else None
    if x is None or of_x is None or weights is None or not of_x.is_one or not of_x.is_positive:
        return
    sum = Sum(op, x, of_x, weights, store)
    scale = sum.scale
    if scale.min() < SMALLEST:
        return
    given = None if isinstance(op, MatmulOp) else op.bias
    bias = sum.bias(given)
    low, high = integer_range(tensor_type(x.x).element_type)
    if not fits(weights.array, 0 if bias is None else bias, low - sum.zero, high - sum.zero):
        return
    y = sum.sums(np.zeros(len(weights.array), np.int64) if bias is None else bias, rewriter)
    rank = len(shape(op.y))
    along = (1, -1, *(1,) * (rank - 2))
    by = rewriter.insert(constant(scale.reshape(along), store))
    none = rewriter.insert(constant(np.zeros((1,) * rank, np.int32), store))
    by.result.name_hint, none.result.name_hint = "scale", "zero"
    last: Operation = DequantizeOp(y, by.result, none.result, op.y.type)
    if given is not None and bias is None:
        size = (1, shape(given)[0], *(1,) * (rank - 2))
        rewriter.insert(last)
        last = AddOp(last.results[0], reshaped(given, size, store, rewriter), op.y.type)
    inherit_source(last, op)
    rewriter.replace(op, last)
