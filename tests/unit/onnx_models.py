"""Small ONNX models for tests, and running them in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

Shape = Sequence[int | str] | None


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape],
    weights: Mapping[str, np.ndarray] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
    input_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model of these nodes; the shapes of its outputs are left open."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, input_type, size) for name, size in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def node(
    op: str,
    *inputs: Sequence[int] | np.ndarray | str,
    opset: int = 17,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node: a tuple is an input of that shape, an array a weight, "" is left out."""
    names: list[str] = []
    shapes: dict[str, Shape] = {}
    weights: dict[str, np.ndarray] = {}
    for i, given in enumerate(inputs):
        if isinstance(given, str):
            names.append(given)
        elif isinstance(given, np.ndarray):
            names.append(f"w{i}")
            weights[names[-1]] = given
        else:
            names.append(f"x{i}")
            shapes[names[-1]] = given
    proto = helper.make_node(op, names, ["y"], "n", **attributes)
    return model([proto], shapes, weights, opset=opset)


def typed_model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, np.ndarray],
    weights: Mapping[str, Any],
    result: str,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model whose inputs are of the types and shapes of these arrays, as `y` is of `result`."""
    types = {n: helper.np_dtype_to_tensor_dtype(x.dtype) for n, x in inputs.items()}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, types[n], x.shape) for n, x in inputs.items()],
        [
            helper.make_tensor_value_info(
                "y", helper.np_dtype_to_tensor_dtype(np.dtype(result)), None
            )
        ],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def run_onnxruntime(proto: onnx.ModelProto, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What ONNX Runtime computes, on one thread and without its own rewrites of the graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [i.name for i in session.get_inputs()]
    found = session.run(None, dict(zip(names, inputs, strict=True)))
    return [np.asarray(y) for y in found]


def run_reference(proto: onnx.ModelProto, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What ONNX's own evaluator makes of a model whose inputs are x0, x1, ..."""
    given = {f"x{i}": x for i, x in enumerate(inputs)}
    return [np.asarray(y) for y in ReferenceEvaluator(proto).run(None, given)]
