"""Whole networks as imported and as folded, in the graph interpreter, beside ONNX Runtime."""

import numpy as np
import pytest
from xdsl.dialects.builtin import StringAttr

from benchmarks.models import build
from lamina import interpreters
from lamina.context import new_context
from lamina.dialects.graph import SOURCE, BatchNormOp, ConstantOp
from lamina.frontends.onnx import import_model
from lamina.passes.graph.fold_batch_norm import FoldBatchNormPass
from lamina.passes.graph.fold_constants import FoldConstantsPass
from lamina.passes.graph.simplify_graph import SimplifyGraphPass
from tests.unit.onnx_models import run_onnxruntime

TOLERANCE = 1e-5
"""of the largest value"""


@pytest.mark.parametrize(
    ("name", "batch", "opset"),
    [
        ("resnet18", 1, 17),
        ("squeezenet1_1", 1, 13),
        ("densenet121", 1, 17),
        ("inception_v3", 1, 17),
        ("mobilenet_v2", 2, 22),
    ],
)
def test_network_computes_what_onnxruntime_computes(name: str, batch: int, opset: int) -> None:
    model = build(name, batch=batch, opset=opset, bn_stats=True)
    size = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(0).standard_normal(size, np.float32)
    (wanted,) = run_onnxruntime(model, [x])
    ctx = new_context()
    module = import_model(model, ctx.weights)
    for passes in ([], [FoldConstantsPass(), FoldBatchNormPass(), SimplifyGraphPass()]):
        for each in passes:
            each.apply(ctx, module)
        module.verify()
        (got,) = interpreters.call(module, "main", [x], store=ctx.weights)
        assert abs(got - wanted).max() <= TOLERANCE * abs(wanted).max()


def test_every_value_of_the_network_keeps_its_name_until_it_is_gone() -> None:
    ctx = new_context()
    model = build("resnet18")
    module = import_model(model, ctx.weights)
    named = [op.attributes[SOURCE] for op in module.walk() if SOURCE in op.attributes]
    assert set(named) >= {StringAttr(o) for node in model.graph.node for o in node.output}
    for each in (FoldConstantsPass(), FoldBatchNormPass(), SimplifyGraphPass()):
        each.apply(ctx, module)
    for op in module.walk():
        assert not isinstance(op, BatchNormOp)
        if op.name.startswith("graph.") and not isinstance(op, ConstantOp):
            assert op.attributes[SOURCE] in named
