"""Round what is to have 8 bits, while everything is still computed in float."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.context import weights_of
from lamina.dialects.graph import (
    ConstantOp,
    Conv2dOp,
    DenseOp,
    DequantizeOp,
    MatmulOp,
    QuantizeOp,
    shape,
)
from lamina.dialects.graph.constants import constant, known
from lamina.errors import LaminaError
from lamina.passes.int8 import _scales as scales
from lamina.passes.int8._annotations import LAYER, forget, range_names
from lamina.passes.int8._ranges import Ranges, read_ranges
from lamina.weights import WeightStore


@dataclass(frozen=True)
class Int8SimulatePass(ModulePass):
    """
    Round tensors and weights as `int8-annotate` says: each becomes what `graph.dequantize` makes of
    what `graph.quantize` makes of it, as in an ONNX model in QDQ form.

    Ranges of tensors are read from a file, as `lamina quantize --save-ranges` writes it. A layer's
    weights become constants of i8, symmetric, with a scale for each output channel; its bias
    becomes one of i32 with the scale of its products. The notes of `int8-annotate` are gone then.
    """

    name = "int8-simulate"
    numerics: ClassVar[str] = "lossy"

    ranges: str
    """a JSON file: {"tensor": [low, high], ...}"""
    activations: str = "u8"
    """u8 or s8"""
    seven_bit: bool = False
    """weights are at most 64 instead of 127"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.activations not in scales.ACTIVATIONS:
            raise PassFailedException(
                f"{self.name}: activations are u8 or s8, found '{self.activations}'"
            )
        mains = [f for f in op.ops if isinstance(f, FuncOp) and not f.is_declaration]
        values = [v for f in mains for v in _values(f.body.block) if range_names(v)]
        try:
            names = (name for v in values for name in range_names(v))
            ranges = read_ranges(self.ranges, dict.fromkeys(names))
        except LaminaError as e:
            raise PassFailedException(f"{self.name}: {e}") from e
        rounding = Rounding(
            weights_of(ctx), ranges, scales.ACTIVATIONS[self.activations], self.seven_bit
        )
        for main in mains:
            for layer in list(main.body.block.ops):
                if layer.attributes.pop(LAYER, None):
                    rounding.round_weights(layer)
        for value in values:
            rounding.round(value)
            forget(value)


def _values(block: Block) -> Iterable[SSAValue]:
    return [*block.args, *(r for op in block.ops for r in op.results)]


@dataclass(frozen=True)
class Rounding:
    """Inserts pairs of quantize and dequantize."""

    store: WeightStore
    ranges: Ranges
    dtype: np.dtype
    seven_bit: bool

    def scale_of(self, value: SSAValue) -> scales.Scale:
        """The scale of a tensor: of the ranges of all with which it shares one."""
        found = [self.ranges[name] for name in range_names(value)]
        return scales.scale_of((min(r[0] for r in found), max(r[1] for r in found)), self.dtype)

    def round(self, x: SSAValue) -> None:
        """x -> dequantize(quantize(x)), for all that reads x but the result of the function"""
        uses = [use for use in x.uses if not isinstance(use.operation, ReturnOp)]
        s = self.scale_of(x)
        ones = [1] * len(shape(x))
        scale = constant(np.full(ones, s.scale, np.float32), self.store)
        zero = constant(np.full(ones, s.zero_point, self.dtype), self.store)
        q = QuantizeOp(x, scale.result, zero.result)
        y = DequantizeOp(q.y, scale.result, zero.result)
        ops = [scale, zero, q, y]
        if isinstance(x.owner, Operation):
            block = x.owner.parent
            assert block is not None
            block.insert_ops_after(ops, x.owner)
        else:
            first = x.owner.first_op
            assert first is not None
            x.owner.insert_ops_before(ops, first)
        for use in uses:
            use.operation.operands[use.index] = y.y

    def round_weights(self, op: Operation) -> None:
        """conv(x, w, b) -> conv(x, dequantize(w in i8), dequantize(b in i32))"""
        match op:
            case Conv2dOp() | DenseOp():
                place, axis, bias = 1, 0, known(op.bias, self.store)
            case MatmulOp():
                place, axis, bias = 1, 1, None
            case _:
                return
        w = known(op.operands[place], self.store)
        if w is None:
            return
        limit = scales.LIMITS[self.seven_bit]
        by_channel = scales.weight_scales(w, axis, limit)
        if bias is not None:
            of_x = self.scale_of(op.operands[0]).scale
            by_channel = scales.fit_bias(by_channel, w, axis, bias, float(of_x))
            of_bias = of_x * by_channel
            q = scales.rounded_bias(bias, of_bias)
            self._replace(op, 2, q, of_bias, 0)
        q = scales.rounded_weights(w, axis, by_channel, limit)
        self._replace(op, place, q, by_channel, axis)

    def _replace(
        self, op: Operation, place: int, q: np.ndarray, by_channel: np.ndarray, axis: int
    ) -> None:
        """An operand becomes what these integers with these scales mean."""
        size = [-1 if k == axis else 1 for k in range(q.ndim)]
        ops = [
            weights := constant(q, self.store),
            scale := constant(by_channel.astype(np.float32).reshape(size), self.store),
            zero := constant(np.zeros([1] * q.ndim, q.dtype), self.store),
        ]
        y = DequantizeOp(weights.result, scale.result, zero.result)
        block = op.parent
        assert block is not None
        block.insert_ops_before([*ops, y], op)
        old = op.operands[place].owner
        op.operands[place] = y.y
        if isinstance(old, ConstantOp) and not any(r.uses for r in old.results):
            block.erase_op(old)
