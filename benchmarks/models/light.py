"""
The `light_*` networks that the onnx package ships for its own tests, with weights that behave.

There each weight is 0.02, so that every image gets the same answer and a comparison proves nothing.
Here the constants that stand for weights become weights like those of `network.py`; the graphs stay
as they are, written by other tools for opset 9.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from benchmarks.models.graph import Array, random_of

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

Shape = tuple[int, ...]
Draw = Callable[[np.random.Generator, Shape, float], Array]
"""(generator, shape, scale of a batch norm that ends a residual branch) -> weight"""


def normal(deviation: float) -> Draw:
    """A normal distribution; its deviation does not depend on the shape."""
    return lambda random, shape, _: (random.standard_normal(shape) * deviation).astype(np.float32)


def normal32(deviation: Callable[[Shape], float]) -> Draw:
    """A normal distribution in f32, as the weights of `network.py` are drawn."""
    return lambda random, shape, _: (
        random.standard_normal(shape, dtype=np.float32) * np.float32(deviation(shape))
    )


def uniform(low: float, high: float) -> Draw:
    """A uniform distribution."""
    return lambda random, shape, _: random.uniform(low, high, shape).astype(np.float32)


DRAW: Mapping[tuple[str, int], Draw] = {
    ("Conv", 1): normal32(lambda shape: float((2 / np.prod(shape[1:])) ** 0.5)),
    ("Conv", 2): normal32(lambda _: 0.05),
    ("Gemm", 1): normal32(lambda shape: (2 / shape[1]) ** 0.5),
    ("Gemm", 2): normal32(lambda _: 0.01),
    ("BatchNormalization", 1): lambda random, shape, scale: (
        random.uniform(0.8, 1.2, shape) * scale
    ).astype(np.float32),
    ("BatchNormalization", 2): lambda random, shape, scale: (
        random.standard_normal(shape) * 0.1 * scale
    ).astype(np.float32),
    ("BatchNormalization", 3): normal(0.1),
    ("BatchNormalization", 4): uniform(0.8, 1.25),
    ("Mul", 1): uniform(0.8, 1.2),
    ("Add", 1): normal(0.1),
}
"""operator and position of the weight among its inputs -> how it is drawn"""


def names() -> list[str]:
    """The networks there are."""
    return sorted(path.stem for path in FOLDER.glob("*.onnx"))


def build(name: str, seed: int = 0) -> onnx.ModelProto:
    """The network called `name` with random weights."""
    model = onnx.load(FOLDER / f"{name}.onnx")
    nodes = list(model.graph.node)
    given = {weight.name: numpy_helper.to_array(weight) for weight in model.graph.initializer}
    filled = {
        node.output[0]: tuple(int(n) for n in given[node.input[0]])
        for node in nodes
        if node.op_type == "ConstantOfShape"
    }
    shapes: dict[str, Shape] = {k: v.shape for k, v in given.items()} | filled
    drawn: dict[str, Array] = {}
    for weight, (node, position) in readers(nodes, shapes).items():
        if draw := DRAW.get((node.op_type, position)):
            scale = residual_scale(node, nodes)
            drawn[weight] = draw(random_of(seed, name, weight), shapes[weight], scale)
    return with_weights(model, drawn)


def readers(
    nodes: list[onnx.NodeProto], weights: Mapping[str, Shape]
) -> dict[str, tuple[onnx.NodeProto, int]]:
    """The last node that reads each weight, also through an Unsqueeze, and as which input."""
    unsqueezed = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Unsqueeze"}
    return {
        weight: (node, position)
        for node in nodes
        for position, value in enumerate(node.input)
        if (weight := unsqueezed.get(value, value)) in weights
        if node.op_type not in ("Unsqueeze", "ConstantOfShape")
    }


def residual_scale(norm: onnx.NodeProto, nodes: list[onnx.NodeProto]) -> float:
    """sqrt(2 / blocks) for a batch norm whose output goes into a residual sum, else 1."""
    sums = [node for node in nodes if node.op_type == "Sum"]
    ends_branch = any(norm.output[0] in node.input for node in sums)
    return (2 / len(sums)) ** 0.5 if ends_branch and len(sums) > 1 else 1.0


def with_weights(model: onnx.ModelProto, drawn: Mapping[str, Array]) -> onnx.ModelProto:
    """The model with these weights as initializers, and without what computed them before."""
    graph = model.graph
    kept = [
        node
        for node in graph.node
        if not (node.op_type == "ConstantOfShape" and node.output[0] in drawn)
    ]
    used = {value for node in kept for value in node.input}
    weights = [numpy_helper.from_array(array, name) for name, array in drawn.items()]
    weights += [w for w in graph.initializer if w.name not in drawn and w.name in used]
    stored = {weight.name for weight in weights}
    inputs = [i for i in graph.input if i.name in used and i.name not in stored]
    return helper.make_model(
        helper.make_graph(kept, graph.name, inputs, list(graph.output), weights),
        opset_imports=model.opset_import,
        ir_version=max(4, model.ir_version),
        producer_name="lamina.benchmarks",
    )
