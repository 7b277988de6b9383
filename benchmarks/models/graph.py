"""A graph under construction: values with their shapes, nodes, and weights drawn by name."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]


def random_of(seed: int, model: str, tensor: str) -> np.random.Generator:
    """The generator of one tensor, the same whatever else is drawn."""
    digest = hashlib.sha256(f"{seed}/{model}/{tensor}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


class Graph:
    """Nodes and weights so far; values go by their names."""

    def __init__(self, name: str, seed: int = 0, opset: int = 17) -> None:
        self.name, self.seed, self.opset = name, seed, opset
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self.inputs: dict[str, tuple[int, ...]] = {}
        self.outputs: dict[str, str] = {}
        self.shape: dict[str, tuple[int | str, ...]] = {}
        self.element_type: dict[str, int] = {}
        """of the values that are not f32"""
        self.macs = 0
        """multiplications and additions, counted as one"""
        self.count = 0

    def input(self, name: str, shape: tuple[int, ...]) -> str:
        """An input of the model."""
        self.inputs[name] = self.shape[name] = shape
        return name

    def random(self, tensor: str) -> np.random.Generator:
        """The generator that the weight `tensor` is drawn from."""
        return random_of(self.seed, self.name, tensor)

    def normal(self, name: str, shape: tuple[int, ...], deviation: float) -> str:
        """A weight with normal distribution."""
        unit = self.random(name).standard_normal(shape, dtype=np.float32)
        return self.weight(name, unit * np.float32(deviation))

    def weight(self, name: str, value: Array) -> str:
        """A weight with this value; the same name always stands for the same value."""
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def node(
        self,
        op: str,
        inputs: list[str],
        shape: tuple[int | str, ...],
        name: str = "",
        **attributes: Any,
    ) -> str:
        """A node with one result of this shape."""
        name = name or self.fresh(op.lower())
        self.count += 1
        result = f"{name}_out"
        self.nodes.append(helper.make_node(op, inputs, [result], name=name, **attributes))
        self.shape[result] = shape
        return result

    def fresh(self, kind: str) -> str:
        """The name of the next node if it is of this kind."""
        return f"{kind}_{self.count}"

    def dims(self, value: str) -> tuple[int, ...]:
        """The shape of a value that has only numbers in it."""
        numbers = tuple(d for d in self.shape[value] if isinstance(d, int))
        assert len(numbers) == len(self.shape[value]), f"{value} has no static shape"
        return numbers

    def model(self) -> onnx.ModelProto:
        """The network as ONNX, its outputs called by their names."""
        names = {value: name for name, value in self.outputs.items()}
        for node in self.nodes:
            for values in (node.input, node.output):
                for i, value in enumerate(values):
                    values[i] = names.get(value, value)
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in self.inputs.items()
        ]
        outputs = [
            helper.make_tensor_value_info(
                name, self.element_type.get(value, TensorProto.FLOAT), self.shape[value]
            )
            for name, value in self.outputs.items()
        ]
        graph = helper.make_graph(
            self.nodes, self.name, inputs, outputs, list(self.weights.values())
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=8,
            producer_name="lamina.benchmarks",
        )
