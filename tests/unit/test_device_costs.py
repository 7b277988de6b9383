"""What ops cost on devices, and what it costs to hand values on, as places are chosen by it."""

import pytest
from xdsl.dialects import test
from xdsl.ir import Operation
from xdsl.parser import Parser

from benchmarks.models import build
from lamina.backends.machine import Machine, describe
from lamina.backends.registry import backend_of
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from lamina.passes.graph._device_problem import Edges
from lamina.passes.graph._products import multiply_adds_of

HASWELL, CASCADELAKE = describe("cpu:haswell"), describe("cpu:cascadelake")
GEN9, XE = describe("opencl:intel-gen9"), describe("opencl:intel-xe")

CONV = "strides [2, 2] pads [3, 3, 3, 3] dilations [1, 1]"


def op_of(text: str, *types: str) -> Operation:
    """`%y = <text> : (<types but the last>) -> <the last>`, on operands %0, %1, .."""
    *given, result = (f"tensor<{t}>" for t in types)
    made = "".join(f'%{k} = "test.op"() : () -> {t}\n' for k, t in enumerate(given))
    text = f"{made}%y = graph.{text} : ({', '.join(given)}) -> {result}"
    ctx = new_context()
    ctx.load_op(test.TestOp)
    module = Parser(ctx, text).parse_module()
    module.verify()
    return list(module.ops)[-1]


@pytest.mark.parametrize(
    ("text", "types", "count"),
    [
        # the first layer of ResNet: 112 * 112 windows of 7 * 7 * 3 for each of 64 channels
        (
            f"conv2d %0, %1 {CONV} groups 1",
            ("1x3x224x224xf32", "64x3x7x7xf32", "1x64x112x112xf32"),
            118_013_952,
        ),
        # each channel by itself, and four groups: a window has 7 * 7 and 7 * 7 * 2 products
        (
            f"conv2d %0, %1 {CONV} groups 8",
            ("2x8x16x16xf32", "8x1x7x7xf32", "2x8x8x8xf32"),
            2 * 8 * 64 * 49,
        ),
        (
            f"conv2d %0, %1 {CONV} groups 4",
            ("1x8x16x16xi8", "16x2x7x7xi8", "1x16x8x8xi32"),
            16 * 64 * 98,
        ),
        (
            "dense %0, %1 bias %2",
            ("2x512xf32", "1000x512xf32", "1000xf32", "2x1000xf32"),
            1_024_000,
        ),
        ("matmul %0, %1", ("4x49x32xf32", "1x32x50xf32", "4x49x50xf32"), 4 * 49 * 50 * 32),
        ("add %0, %1", ("4x4xf32", "4x4xf32", "4x4xf32"), 0),
    ],
)
def test_multiply_adds_are_those_of_the_shapes(
    text: str, types: tuple[str, ...], count: int
) -> None:
    assert multiply_adds_of(op_of(text, *types)) == count


def test_resnet_50_has_4_billion_multiply_adds() -> None:
    """3.8 in the paper, whose blocks have their strides in the first convolution."""
    module = import_model(build("resnet50"), new_context().weights)
    assert sum(map(multiply_adds_of, module.walk())) == pytest.approx(4.09e9, rel=0.005)


def seconds(op: Operation, machine: Machine) -> float:
    return backend_of(machine.name).seconds(op, machine)


def test_large_products_take_what_the_arithmetic_takes() -> None:
    op = op_of("matmul %0, %1", "1024x1024xf32", "1024x1024xf32", "1024x1024xf32")
    flops = 2 * 1024**3
    assert seconds(op, HASWELL) == pytest.approx(flops / (32 * 3.5e9), rel=0.01)
    assert seconds(op, XE) == pytest.approx(flops / (96 * 16 * 1.1e9), rel=0.01)


def test_small_products_take_what_their_bytes_take() -> None:
    """A vector by a matrix: each weight is used once."""
    op = op_of("dense %0, %1", "1x1024xf32", "1024x1024xf32", "1x1024xf32")
    assert seconds(op, HASWELL) == pytest.approx(4 * (1024**2 + 2048) / 14e9, rel=0.01)
    assert seconds(op, GEN9) == pytest.approx(4 * (1024**2 + 2048) / (12 * 1.2e9) + 5e-6, rel=0.01)


def test_small_op_takes_what_it_takes_to_begin() -> None:
    op = op_of("add %0, %1", "1x4xf32", "1x4xf32", "1x4xf32")
    assert seconds(op, GEN9) == pytest.approx(5e-6, rel=0.01)


def test_bytes_are_multiplied_by_the_instruction_that_a_machine_has() -> None:
    shape = "1024x1024x"
    floats = op_of("matmul %0, %1", *[f"{shape}f32"] * 3)
    small = op_of("matmul %0, %1", f"{shape}ui8", f"{shape}i8", f"{shape}i32")
    assert seconds(small, CASCADELAKE) == pytest.approx(seconds(floats, CASCADELAKE) / 4, rel=0.01)
    assert seconds(small, XE) == pytest.approx(seconds(floats, XE) / 4, rel=0.02)
    assert seconds(small, GEN9) > seconds(floats, GEN9)


def test_value_that_is_handed_on_waits_and_is_copied_where_memory_is_not_shared() -> None:
    machines = {m.name: m for m in (HASWELL, GEN9, XE)}
    shared, own = Edges(machines, lambda device: True), Edges(machines, lambda device: False)
    size = 40_000_000  # 2 ms
    assert shared.seconds(size, HASWELL.name, HASWELL.name) == 0
    assert shared.seconds(size, HASWELL.name, "cpu") == 0
    assert shared.seconds(size, HASWELL.name, GEN9.name) == pytest.approx(5e-6)
    assert own.seconds(size, HASWELL.name, GEN9.name) == pytest.approx(5e-6 + 2e-3)
    assert shared.seconds(size, XE.name, GEN9.name) == pytest.approx(10e-6 + 2e-3)
    assert own.seconds(size, XE.name, GEN9.name) == pytest.approx(10e-6 + 3 * 2e-3)
