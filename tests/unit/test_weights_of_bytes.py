"""Weights of 8 bits: what is known of them is exact, and found without wide copies of them."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from xdsl.dialects.builtin import i8
from xdsl.ir import SSAValue
from xdsl.passes import PassPipeline

from lamina import passes
from lamina.context import new_context
from lamina.dialects.graph import Conv2dOp, tensor_type
from lamina.dialects.int8 import ABS_B, MOST_B, PAIR_B
from lamina.frontends.onnx import import_model
from lamina.passes.int8._weights import fits
from lamina.passes.int8.int8_bound_weights import bound
from tests.unit.qdq_networks import Network

SIZE = 1024
PASSES = "int8-sink-dequantize,int8-realize,int8-fold-bias,int8-bound-weights"


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("spare", "wanted"), [(0, False), (1, True)])
def test_sums_fit_up_to_the_last_number(sign: int, spare: int, wanted: bool) -> None:
    """Only one output is close, as others with other weights are not."""
    w = np.zeros((5, 4, 3, 3), np.int8)
    w[3] = sign * 100
    bias = np.zeros(5, np.int64)
    bias[3] = 2**31 - 36 * 100 * 255 - spare
    assert fits(w, sign * bias, 0, 255) is wanted
    assert fits(w, np.roll(bias, 1), 0, 255)


def test_no_weights_fit() -> None:
    assert fits(np.zeros((0, 4), np.int8), 0, 0, 255)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_lowest_number_counts_in_full(dtype: type) -> None:
    w = np.full((1, 2**16), -128, dtype)
    assert fits(w, 2**31 - 2**23 * 255 - 1, 0, 255)
    assert not fits(w, 2**31 - 2**23 * 255, 0, 255)


@pytest.mark.parametrize(("o", "i", "k"), list(product([0, 17, 39], [0, 2, 5], [0, 3])))
def test_one_large_pair_anywhere_is_found(o: int, i: int, k: int) -> None:
    w = np.full((40, 6, 1, 4), 3, np.int8)
    w[o, i, 0, k] = 65
    assert bound(np.full_like(w, -64)) == (ABS_B, 64)
    assert bound(w) == (PAIR_B, 128)
    w[o, i ^ 1, 0, k] = -64  # of another sign
    assert bound(w) == (PAIR_B, 128)
    w[o, i ^ 1, 0, k] = 64
    assert bound(w) == (MOST_B, 98)
    w[o, i ^ 1, 0, k], w[o, i, 0, k ^ 1] = 3, 64
    assert bound(w) == (MOST_B, 98)


@pytest.mark.parametrize(("zero", "times"), [(0, 1.5), (3, 9)])
def test_weights_are_not_copied_in_wider_numbers(zero: int, times: float) -> None:
    """Weights without a zero point are not even copied; differences need 16 bits for a while."""
    net, ctx = Network(), new_context()
    x = net.input(1, SIZE, 1, 1)
    y = net.conv(x, (SIZE, SIZE, 1, 1), zero=zero)
    module = import_model(net.model(y), ctx.weights)
    pipeline = PassPipeline.parse_spec(passes.available(), PASSES)
    tracemalloc.start()
    try:
        pipeline.apply(ctx, module)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert any(isinstance(op, Conv2dOp) and is_bytes(op.w) for op in module.walk())
    assert peak < times * SIZE * SIZE


def is_bytes(value: SSAValue) -> bool:
    return tensor_type(value).element_type == i8
