"""Operators whose definitions are imported in their place."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from lamina import interpreters
from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import model, node, run_onnxruntime

X = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)


@pytest.mark.parametrize(
    "proto",
    [
        node("MeanVarianceNormalization", X.shape),
        node("CenterCropPad", X.shape, np.array([3, 4]), opset=18, axes=[2, 3]),
    ],
    ids=lambda proto: proto.graph.node[0].op_type,
)
def test_function_of_onnx_computes_what_onnxruntime_computes(proto: onnx.ModelProto) -> None:
    (wanted,) = run_onnxruntime(proto, [X])
    ctx = new_context()
    (got,) = interpreters.call(import_model(proto, ctx.weights), "main", [X], store=ctx.weights)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_function_of_the_model_is_imported_with_functions_that_it_calls() -> None:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
    double = helper.make_function(
        "acme", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], opsets[:1]
    )
    nodes = [
        helper.make_node("Double", ["a"], ["t"], domain="acme"),
        helper.make_node("Double", ["t"], ["b"], domain="acme"),
    ]
    fourfold = helper.make_function("acme", "Fourfold", ["a"], ["b"], nodes, opsets)
    proto = model([helper.make_node("Fourfold", ["x"], ["y"], domain="acme")], {"x": X.shape})
    proto.functions.extend([double, fourfold])
    proto.opset_import.append(opsets[1])
    ctx = new_context()
    (got,) = interpreters.call(import_model(proto, ctx.weights), "main", [X], store=ctx.weights)
    np.testing.assert_array_equal(got, 4 * X)


def test_function_that_needs_more_than_is_supported_is_refused_by_its_own_name() -> None:
    proto = node("BlackmanWindow", np.array(10), opset=17)
    with pytest.raises(LaminaError) as error:
        import_model(proto, new_context().weights)
    assert str(error.value) == "model: not supported: BlackmanWindow (node 'n')"


@pytest.mark.parametrize("times", [1, 2])
def test_function_that_calls_itself_or_is_there_twice_is_refused(times: int) -> None:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
    op = "Again" if times == 1 else "Relu"
    call = helper.make_node(op, ["a"], ["b"], domain="acme" if times == 1 else "")
    function = helper.make_function("acme", "Again", ["a"], ["b"], [call], opsets)
    proto = model([helper.make_node("Again", ["x"], ["y"], "n", domain="acme")], {"x": X.shape})
    proto.functions.extend(times * [function])
    proto.opset_import.append(opsets[1])
    with pytest.raises(LaminaError) as error:
        import_model(proto, new_context().weights)
    assert str(error.value) == "model: not supported: acme.Again (node 'n')"
