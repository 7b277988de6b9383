"""Sums of two quantized tensors, of all pairs of bytes, beside the formula and what ONNX says."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import lamina

SIZE = (1, 8, 64, 128)
"""as many elements as there are pairs of bytes"""

CASES = {
    "u8": (np.uint8, (0.021, 0.034, 0.029), (131, 3, 17)),
    "s8": (np.int8, (0.0229, 0.0396, 0.0394), (-14, -128, -128)),
    "one is far larger": (np.uint8, (0.25, 0.001, 0.001), (255, 0, 255)),
    "too large for the formula": (np.uint8, (1.0, 1.0, 0.001), (7, 7, 0)),
}


def model(dtype: type, scales: tuple[float, ...], zeros: tuple[int, ...]) -> onnx.ModelProto:
    """quantize(dequantize(a) + dequantize(b))"""
    of = TensorProto.UINT8 if dtype == np.uint8 else TensorProto.INT8
    numbers = {f"s{k}": np.float32(s) for k, s in enumerate(scales)}
    numbers |= {f"z{k}": dtype(z) for k, z in enumerate(zeros)}
    nodes = [
        helper.make_node("DequantizeLinear", ["a", "s0", "z0"], ["x"]),
        helper.make_node("DequantizeLinear", ["b", "s1", "z1"], ["y"]),
        helper.make_node("Add", ["x", "y"], ["sum"]),
        helper.make_node("QuantizeLinear", ["sum", "s2", "z2"], ["q"]),
    ]
    values = [helper.make_tensor_value_info(name, of, SIZE) for name in "abq"]
    constants = [numpy_helper.from_array(np.array(v), k) for k, v in numbers.items()]
    graph = helper.make_graph(nodes, "sums", values[:2], values[2:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("numerics", ["fast", "strict"])
def test_all_pairs_of_bytes(case: str, numerics: str) -> None:
    dtype, scales, zeros = CASES[case]
    limits = np.iinfo(dtype)
    pairs = np.meshgrid(*2 * [np.arange(limits.min, limits.max + 1)])
    a, b = (p.astype(dtype).reshape(SIZE) for p in pairs)
    compiled = lamina.compile(
        model(dtype, scales, zeros), threads=1, cache=False, numerics=numerics
    )
    found = compiled.run({"a": a, "b": b})["q"]
    sa, sb, sc = (np.float32(s) for s in scales)
    za, zb, zc = (np.float32(z) for z in zeros)
    said = np.rint(((a - za) * sa + (b - zb) * sb) / sc) + zc
    said = np.clip(said, limits.min, limits.max)
    apart = np.abs(found.astype(np.int16) - said)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3
    if sa / sc <= 256 and sb / sc <= 256:
        s, t = (np.float64(v / sc) for v in (sa, sb))
        start = zc - np.float32(s * za + np.float32(t) * zb)
        begun = (b * t + start).astype(np.float32)
        sums = (a * s + begun).astype(np.float32)
        np.testing.assert_array_equal(found, np.clip(np.rint(sums), limits.min, limits.max))
