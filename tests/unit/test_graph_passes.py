"""Folding and simplifying keep the numbers: on constants of every kind, and on random models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    f32,
)
from xdsl.parser import Parser

from lamina import interpreters
from lamina.context import LaminaContext, new_context
from lamina.dialects.graph import BatchNormOp, ConstantOp, LayoutAttr
from lamina.dialects.graph.constants import array_of, constant, element_type
from lamina.dialects.layout import Layout
from lamina.frontends.onnx import import_model
from lamina.passes.graph.fold_batch_norm import FoldBatchNormPass
from lamina.passes.graph.fold_constants import FoldConstantsPass
from lamina.passes.graph.pack_weights import PackWeightsPass
from lamina.passes.graph.simplify_graph import SimplifyGraphPass
from tests.unit.tiny import tiny_model

floats = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=0, max_dims=4, max_side=3),
    elements=st.floats(width=32),
)


@given(floats)
def test_constant_holds_its_array_bit_for_bit_also_as_text(array: np.ndarray) -> None:
    ctx = new_context()
    op = constant(array, ctx.weights)
    text = str(ModuleOp([op]))
    read = Parser(ctx, text).parse_module().body.block.first_op
    assert isinstance(read, ConstantOp)
    for each in (op, read):
        found = array_of(each, ctx.weights)
        assert (found.shape, found.dtype) == (array.shape, array.dtype)
        assert found.tobytes() == array.tobytes()


def test_constant_is_stored_in_its_layout() -> None:
    ctx, array = new_context(), np.arange(24, dtype=np.float32).reshape(2, 3, 4, 1)
    layout = Layout.parse("NCHW2c")
    op = constant(array, ctx.weights, TensorType(f32, array.shape, LayoutAttr(layout)))
    (key,) = ctx.weights
    assert ctx.weights.get(key).shape == layout.apply_shape(array.shape)
    np.testing.assert_array_equal(array_of(op, ctx.weights), array)


@pytest.mark.parametrize("layout", ["", ", #graph.layout<BA>"])
def test_numbers_written_out_are_stored_with_their_type_and_layout(layout: str) -> None:
    ctx, type = new_context(), f"tensor<2x3xf64{layout}>"
    values = "dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 0.1]]>"
    text = f'%c = graph.constant {values} : {type}\n"test.op"(%c) : ({type}) -> ()'
    module = Parser(ctx, text).parse_module()

    def array() -> np.ndarray:
        (op,) = (op for op in module.walk() if isinstance(op, ConstantOp))
        assert isinstance(op.value, kind)
        return array_of(op, ctx.weights)

    kind = DenseIntOrFPElementsAttr
    before = array()
    PackWeightsPass().apply(ctx, module)
    module.verify()
    kind = StringAttr
    assert array().dtype == np.float64
    np.testing.assert_array_equal(array(), before)


def test_element_type_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be one of bool, float16, .*, got complex64"):
        element_type(np.dtype(np.complex64))


@pytest.mark.filterwarnings("error")
def test_overflow_folds_to_infinity_without_a_word() -> None:
    text = """func.func @main() -> tensor<2xf32> {
      %x = graph.constant dense<[1000.0, -1000.0]> : tensor<2xf32>
      %y = graph.exp %x : tensor<2xf32> -> tensor<2xf32>
      func.return %y : tensor<2xf32>
    }"""
    ctx = new_context()
    module = Parser(ctx, text).parse_module()
    FoldConstantsPass().apply(ctx, module)
    (folded,) = [op for op in module.walk() if isinstance(op, ConstantOp)]
    np.testing.assert_array_equal(array_of(folded, ctx.weights), np.array([np.inf, 0], np.float32))


def run(ctx: LaminaContext, module: ModuleOp, x: np.ndarray) -> np.ndarray:
    module.verify()
    return interpreters.call(module, "main", [x], store=ctx.weights)[0]


def test_network_without_batch_norms_computes_the_same() -> None:
    ctx, x = new_context(), np.random.default_rng(0).standard_normal((1, 3, 12, 12))
    module = import_model(tiny_model(), ctx.weights)
    wanted = run(ctx, module, x.astype(np.float32))
    for each in (FoldConstantsPass(), FoldBatchNormPass(), SimplifyGraphPass()):
        each.apply(ctx, module)
    assert not any(isinstance(op, BatchNormOp) for op in module.walk())
    got = run(ctx, module, x.astype(np.float32))
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layout", ["OIHW", "OIHW4i2o", "HWIO"])
def test_weights_are_scaled_in_any_layout(layout: str) -> None:
    """Four outputs scaled by 1, 2, 3 and 4; the weights are in the store."""
    ctx, rng = new_context(), np.random.default_rng(1)
    w = rng.standard_normal((4, 3, 2, 2)).astype(np.float32)
    x = rng.standard_normal((1, 3, 4, 4)).astype(np.float32)
    key = ctx.weights.put(Layout.parse(layout).apply_array(w))
    kind = f"tensor<4x3x2x2xf32, #graph.layout<{layout}>>"
    module = Parser(
        ctx,
        f"""
        func.func @main(%x: tensor<1x3x4x4xf32>) -> tensor<1x4x3x3xf32> {{
          %w = graph.constant "{key}" : {kind}
          %one = graph.constant dense<1.0> : tensor<4xf32>
          %zero = graph.constant dense<0.0> : tensor<4xf32>
          %s = graph.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
          %c = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
            : (tensor<1x3x4x4xf32>, {kind}) -> tensor<1x4x3x3xf32>
          %y = graph.batch_norm %c, %s, %zero, %zero, %one epsilon 0.0
            : (tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
            -> tensor<1x4x3x3xf32>
          func.return %y : tensor<1x4x3x3xf32>
        }}""",
    ).parse_module()
    wanted = run(ctx, module, x)
    FoldBatchNormPass().apply(ctx, module)
    assert not any(isinstance(op, BatchNormOp) for op in module.walk())
    np.testing.assert_allclose(run(ctx, module, x), wanted, rtol=1e-5, atol=1e-6)
