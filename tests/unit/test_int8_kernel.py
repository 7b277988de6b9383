"""A quantized kernel on every level and machine: the bytes of the formula, also at the ends."""

from itertools import dropwhile, product
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.passes import PassPipeline

from lamina import interpreters, passes
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects.int8 import RequantizeOp
from lamina.interpreters.int8 import requantize
from lamina.passes.pipelines import default
from lamina.passes.te.te_schedule import TeSchedulePass

TEXT = Path(__file__).parents[1] / "lit/dialects/int8/quantized-kernel.mlir"
VECTORS = "te-schedule,te-to-loops,te-to-vec"
Arrays = tuple[np.ndarray, ...]


def lowered(pipeline: str) -> ModuleOp:
    module = Parser(new_context(), TEXT.read_text()).parse_module()
    PassPipeline.parse_spec(passes.available(), pipeline).apply(new_context(), module)
    module.verify()
    return module


def cases() -> list[Arrays]:
    """Random bytes, and every combination of extremes for all bytes at once and mixed."""
    rng = np.random.default_rng(0)
    shape_x, shape_w = (1, 10, 10, 16), (3, 3, 4, 16, 4)
    bias = rng.integers(-(10**6), 10**6, 16).astype(np.int32)
    scale = (rng.random(16) * 1e-3 + 1e-6).astype(np.float32)
    xs = [np.full(shape_x, n, np.uint8) for n in (0, 255)]
    ws = [np.full(shape_w, n, np.int8) for n in (-128, 127)]
    mixed = rng.choice(np.array([0, 255], np.uint8), shape_x)
    mixed_w = rng.choice(np.array([-128, 127], np.int8), shape_w)
    random = rng.integers(0, 256, shape_x).astype(np.uint8)
    random_w = rng.integers(-128, 128, shape_w).astype(np.int8)
    pairs = [*product(xs, ws), (mixed, mixed_w), (random, random_w)]
    ends = np.array([-(2**31), 2**31 - 1] * 8, np.int32)  # sums wrap around
    return [(x.view(np.int8), w, b, scale) for (x, w), b in product(pairs, (bias, ends))]


def expected(x: np.ndarray, w: np.ndarray, bias: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The formula on whole arrays, in 64 bits and then taken modulo 2**32."""
    weights = w.transpose(0, 1, 3, 2, 4).reshape(3, 3, 16, 16).astype(np.int64)
    bytes_ = x.view(np.uint8)[0].astype(np.int64)
    taps = ((bytes_[h : h + 8, v : v + 8], weights[h, v]) for h, v in product(range(3), repeat=2))
    total = sum((a @ b.T for a, b in taps), np.zeros((8, 8, 16), np.int64)) + bias
    return requantize(total.astype(np.int32), scale, 3, np.uint8)[None]


def test_interpreter_is_the_formula_before_and_after_lowering() -> None:
    lower = 'int8-lower-dot4{target="cpu:haswell"}'
    for pipeline in ("te-simplify", VECTORS, f"{VECTORS},int8-expand", f"{VECTORS},{lower}"):
        module = lowered(pipeline)
        for arrays in cases()[-4:]:
            (y,) = interpreters.call(module, "window_sum", arrays)
            np.testing.assert_array_equal(y.view(np.uint8), expected(*arrays), pipeline)


@pytest.mark.parametrize(
    "steps",
    [
        "int8-expand,int8-lower-dot4",
        'int8-expand,int8-lower-dot4{target="cpu:skylake-avx512"}',
        "vec-split{lanes=8},int8-expand,int8-lower-dot4",
        "int8-expand,int8-lower-dot4{form=generic}",
        'vec-split{lanes=4},int8-expand,int8-lower-dot4{target="cpu:haswell"}',
        "loop-sink-loads,int8-expand,int8-lower-dot4",
    ],
)
def test_native_code_is_the_formula(steps: str) -> None:
    kernel = native(lowered(f"{VECTORS},{steps}"), describe("cpu"))["window_sum"]
    for arrays in cases():
        y = np.full((1, 8, 8, 16), 77, np.int8)
        kernel(*arrays, y)
        np.testing.assert_array_equal(y.view(np.uint8), expected(*arrays))


@pytest.mark.parametrize("target", ["cpu", "cpu:skylake-avx512", "cpu:haswell", "cpu:x86-64"])
def test_the_default_pipeline_finds_instructions_for_it(target: str) -> None:
    module = Parser(new_context(), TEXT.read_text()).parse_module()
    for p in dropwhile(lambda p: not isinstance(p, TeSchedulePass), default(target)):
        p.apply(new_context(), module)
    assert not [o for o in module.walk() if isinstance(o, RequantizeOp)]
    kernel = native(module, describe(target))["window_sum"]
    for arrays in cases():
        y = np.full((1, 8, 8, 16), 77, np.int8)
        kernel(*arrays, y)
        np.testing.assert_array_equal(y.view(np.uint8), expected(*arrays))
