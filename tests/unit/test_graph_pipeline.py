"""Small networks with awkward shapes mean the same after every pass on graphs."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.builder import Builder
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, StringAttr, TensorType, f32
from xdsl.ir import Block, Region, SSAValue
from xdsl.rewriter import InsertPoint

from lamina import interpreters
from lamina.context import LaminaContext
from lamina.dialects.graph import (
    AbsOp,
    AddOp,
    AvgPool2dOp,
    ClipOp,
    ConcatOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    Expm1Op,
    ExpOp,
    GlobalAvgPoolOp,
    InterleaveOp,
    Log1pOp,
    MatmulOp,
    MaxPool2dOp,
    MulOp,
    NegOp,
    NormalizeOp,
    ReluOp,
    ReshapeOp,
    SigmoidOp,
    SoftmaxOp,
    TanhOp,
    TransposeOp,
    shape,
)
from lamina.passes.pipelines import default

TO_MEMORY_PLAN = [p for p in default("cpu") if not p.name.startswith("te-")]


class Net:
    """Builds a network with random weights."""

    def __init__(self, size: tuple[int, ...], seed: int = 0) -> None:
        self.ctx, self.rng = LaminaContext(), np.random.default_rng(seed)
        self.block = Block(arg_types=[TensorType(f32, size)])
        self.builder = Builder(InsertPoint.at_end(self.block))
        self.input: SSAValue = self.block.args[0]

    def add(self, op):
        return self.builder.insert(op).results[0]

    def weight(self, *size: int) -> SSAValue:
        array = self.rng.standard_normal(size, dtype=np.float32) / np.float32(size[-1])
        return self.add(ConstantOp(self.ctx.weights.put(array), TensorType(f32, size)))

    def conv(self, x: SSAValue, out: int, kernel=(3, 3), groups=1, bias=True, **attributes):
        w = self.weight(out, shape(x)[1] // groups, *kernel)
        b = self.weight(out) if bias else None
        return self.add(Conv2dOp(x, w, b, groups=groups, **attributes))

    def module(self, *results: SSAValue) -> ModuleOp:
        self.block.add_op(func.ReturnOp(*results))
        types = ([a.type for a in self.block.args], [r.type for r in results])
        marks = ArrayAttr([DictionaryAttr({"lamina.input": StringAttr("data")})])
        main = func.FuncOp("main", types, Region(self.block), arg_attrs=marks)
        return ModuleOp([main])

    def check(self, *results: SSAValue) -> None:
        """Every pass up to the memory plan keeps what the interpreter computes."""
        module = self.module(*results)
        x = self.rng.standard_normal(shape(self.input), dtype=np.float32)
        wanted = self.run(module, x)
        for p in TO_MEMORY_PLAN:
            p.apply(self.ctx, module)
            module.verify()
            for got, want in zip(self.run(module, x), wanted, strict=True):
                np.testing.assert_allclose(
                    got, want, rtol=0, atol=1e-5 * np.abs(want).max() + 1e-9, err_msg=p.name
                )

    def run(self, module: ModuleOp, x: np.ndarray) -> list[np.ndarray]:
        return interpreters.call(module, "main", [x.copy()], store=self.ctx.weights)


def ragged_channels(net: Net) -> Iterator[SSAValue]:
    x = net.add(ReluOp(net.conv(net.input, 37, pads=(1, 1, 1, 1))))
    yield net.conv(x, 21, kernel=(1, 5), pads=(0, 2, 0, 2), strides=(2, 1))


def clip_that_would_dirty_padding(net: Net) -> Iterator[SSAValue]:
    x = net.add(ClipOp(net.conv(net.input, 20), 1.0, 2.0))
    yield net.conv(x, 20)


def sigmoid_on_ragged_channels(net: Net) -> Iterator[SSAValue]:
    yield net.conv(net.add(SigmoidOp(net.conv(net.input, 20))), 17)


def residual_in_place(net: Net) -> Iterator[SSAValue]:
    x = net.add(ReluOp(net.conv(net.input, 32, pads=(1, 1, 1, 1))))
    y = net.conv(x, 32, pads=(1, 1, 1, 1))
    z = net.add(ReluOp(net.add(AddOp(y, x))))
    yield net.conv(z, 16, kernel=(1, 1))


def convolution_of_its_own_residual(net: Net) -> Iterator[SSAValue]:
    x = net.add(ReluOp(net.conv(net.input, 16, pads=(1, 1, 1, 1))))
    y = net.add(AddOp(net.conv(x, 16, kernel=(1, 1)), x))
    yield net.add(AddOp(net.conv(y, 16, kernel=(1, 1)), y))


def windows_share_a_tensor(net: Net) -> Iterator[SSAValue]:
    x = net.add(ReluOp(net.conv(net.input, 16)))
    a = net.conv(x, 16, kernel=(3, 1), pads=(1, 0, 1, 0))
    b = net.conv(x, 16, kernel=(1, 7), pads=(0, 3, 0, 3))
    c = net.add(MaxPool2dOp(x, (3, 3), (1, 1), (1, 1, 1, 1)))
    d = net.add(AvgPool2dOp(x, (3, 3), (1, 1), (1, 1, 1, 1), count_pads=True))
    yield net.add(ConcatOp([a, b, c, d], 1))


def mean_counts_elements_inside(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 16)
    yield net.add(AvgPool2dOp(x, (3, 2), (2, 1), (1, 0, 1, 1), count_pads=False))


def pools_with_taps_apart(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 20)
    a = net.add(MaxPool2dOp(x, (2, 3), (1, 1), (1, 1, 1, 1), dilations=(3, 2)))
    b = net.add(AvgPool2dOp(x, (2, 3), (1, 1), (1, 1, 1, 1), dilations=(3, 2)))
    yield net.add(ConcatOp([a, b], 1))


def interleaved_blocks(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 64)
    n, _, h, w = shape(x)
    type = TensorType(f32, [n, 16, 2 * h - 1, 2 * w])
    y = net.add(ReluOp(net.add(InterleaveOp(x, type, steps=(2, 2), offsets=(1, 0)))))
    yield net.conv(y, 16, pads=(1, 1, 1, 1))


def interleaved_channels(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 66)
    n, _, h, w = shape(x)
    type = TensorType(f32, [n, 11, 2 * h, 3 * w - 2])
    y = net.add(InterleaveOp(x, type, steps=(2, 3), offsets=(0, 2), groups=11))
    yield net.add(ReluOp(y))


def grouped(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 64)
    a = net.conv(x, 64, groups=2, pads=(1, 1, 1, 1))
    b = net.conv(x, 24, groups=8, pads=(1, 1, 1, 1), dilations=(1, 1))
    yield net.add(ConcatOp([a, b], 1))


def depthwise_and_dilated(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 20, pads=(1, 1, 1, 1))
    x = net.add(ClipOp(net.conv(x, 20, groups=20, pads=(1, 1, 1, 1)), 0.0, 6.0))
    yield net.conv(x, 40, dilations=(2, 2), pads=(2, 2, 2, 2))


def gate(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 32)
    s = net.conv(net.add(GlobalAvgPoolOp(x)), 32, kernel=(1, 1))
    yield net.add(MulOp(x, net.add(SigmoidOp(s))))


def classifier(net: Net) -> Iterator[SSAValue]:
    x = net.add(GlobalAvgPoolOp(net.conv(net.input, 40)))
    x = net.add(ReshapeOp(x, TensorType(f32, [shape(x)[0], 40])))
    x = net.add(DenseOp(x, net.weight(10, 40), net.weight(10)))
    yield net.add(SoftmaxOp(x, 1))


def flattened_map(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 16)
    n, c, h, w = shape(x)
    x = net.add(ReshapeOp(x, TensorType(f32, [n, c * h * w])))
    yield net.add(DenseOp(x, net.weight(130, c * h * w)))


def reshape_beside_a_padded_window(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 4)
    n, c, h, w = shape(x)
    yield net.conv(x, 4, pads=(1, 1, 1, 1))
    yield net.conv(net.add(ReshapeOp(x, TensorType(f32, [n, c, w, h]))), 4, pads=(1, 1, 1, 1))


def value_used_twice_by_one_op(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 20)
    y = net.add(AddOp(x, x))
    yield net.conv(net.add(ReluOp(net.add(MulOp(y, y)))), 20)


def returned_and_padded(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 16)
    yield x
    yield net.conv(x, 16, pads=(1, 1, 1, 1))


def map_of_one_element(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.add(GlobalAvgPoolOp(net.input)), 24, kernel=(1, 1))
    yield net.conv(x, 33, pads=(1, 1, 1, 1))


def results_that_are_copies(net: Net) -> Iterator[SSAValue]:
    x = net.add(TransposeOp(net.conv(net.input, 16), [0, 2, 3, 1]))
    yield x
    yield net.input
    yield x
    yield net.add(ExpOp(x))


def normalized_maps(net: Net) -> Iterator[SSAValue]:
    x = net.add(NormalizeOp(net.conv(net.input, 20), [2, 3], 1e-5))
    x = net.add(AddOp(net.add(MulOp(x, net.weight(1, 20, 1, 1))), net.weight(1, 20, 1, 1)))
    yield net.conv(net.add(ReluOp(x)), 17, pads=(1, 1, 1, 1))


def attention(net: Net) -> Iterator[SSAValue]:
    n, _, h, w = shape(net.input)
    keys = net.add(
        ReshapeOp(net.conv(net.input, 20, kernel=(1, 1)), TensorType(f32, [n, 20, h * w]))
    )
    rows = net.add(NormalizeOp(net.add(TransposeOp(keys, [0, 2, 1])), [2], 1e-5))
    scores = net.add(MatmulOp(rows, keys))
    shares = net.add(SoftmaxOp(net.add(MulOp(scores, net.weight(1, 1, 1))), 2))
    yield net.add(AddOp(net.add(MatmulOp(shares, rows)), rows))


def activations_of_ragged_channels(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 21)
    below = net.add(Expm1Op(net.add(ClipOp(x, -np.inf, 0.0))))
    x = net.conv(net.add(AddOp(net.add(ReluOp(x)), below)), 20)
    yield net.conv(net.add(MulOp(x, net.add(SigmoidOp(x)))), 17)


def activations_with_several_readers(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 32)
    e = net.add(ExpOp(net.add(NegOp(net.add(AbsOp(x))))))
    soft = net.add(AddOp(net.add(ReluOp(x)), net.add(Log1pOp(e))))
    y = net.add(MulOp(x, net.add(TanhOp(soft))))
    yield net.conv(net.add(AddOp(y, net.conv(y, 32, pads=(1, 1, 1, 1)))), 8)


NETWORKS = [
    activations_of_ragged_channels,
    activations_with_several_readers,
    ragged_channels,
    clip_that_would_dirty_padding,
    sigmoid_on_ragged_channels,
    residual_in_place,
    convolution_of_its_own_residual,
    windows_share_a_tensor,
    mean_counts_elements_inside,
    pools_with_taps_apart,
    interleaved_blocks,
    interleaved_channels,
    grouped,
    depthwise_and_dilated,
    gate,
    classifier,
    flattened_map,
    reshape_beside_a_padded_window,
    value_used_twice_by_one_op,
    returned_and_padded,
    map_of_one_element,
    results_that_are_copies,
    normalized_maps,
    attention,
]


@pytest.mark.parametrize("size", [(1, 3, 9, 11), (2, 24, 7, 8)], ids=str)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_every_pass_keeps_the_meaning(network, size) -> None:
    net = Net(size)
    net.check(*network(net))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    size=st.tuples(*(st.integers(a, b) for a, b in ((1, 2), (1, 40), (5, 12), (5, 12)))),
    out=st.integers(1, 40),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pads=st.tuples(*(st.integers(0, 2) for _ in range(4))),
    dilations=st.sampled_from([(1, 1), (1, 1), (2, 1)]),
)
def test_any_convolution_keeps_its_meaning(size, out, kernel, strides, pads, dilations) -> None:
    net = Net(size)
    x = net.add(ReluOp(net.input))
    if dilations != (1, 1):
        kernel = (min(kernel[0], 2), kernel[1])
    y = net.conv(x, out, kernel=kernel, strides=strides, pads=pads, dilations=dilations)
    net.check(net.add(ReluOp(y)))
