"""
Whole networks beside ONNX Runtime, on the same image.

The result may differ by 1e-5 of the largest value, or 1e-4 where sums may be formed of other
products than the network says. So may what each kernel computes from the inputs
that it really had: the differences of the kernels before it are not counted again, since in a deep
network they alone may grow beyond that (and those of ONNX Runtime to exact arithmetic as well). A
softmax may have one answer for every image; the kernel before it has not.
"""

import gc
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import lamina
from benchmarks.models import MODELS, build, light
from lamina.backends.model import CompiledModel
from lamina.dialects.layout import Layout

Arrays = Mapping[str, np.ndarray]

TOLERANCE = {"strict": 1e-5, "fast": 1e-4}
"""numerics -> how far from ONNX Runtime, of the largest value"""

REFUSED = {"ssd512_resnet50_nms"}
"""networks that are not supported yet"""


ON_A_DEVICE = ("resnet18", "mobilenet_v2", "resnet50", "resnet152", "vgg16", "mobilenet_v1")
ON_A_DEVICE += ("squeezenet1_1", "densenet121", "inception_v3")


@dataclass(frozen=True)
class Config:
    """A network, and what is chosen for it; a size of images replaces that of the network."""

    name: str
    batch: int = 1
    size: tuple[int, int] | None = None
    target: str = "cpu"
    numerics: str = "fast"

    def __str__(self) -> str:
        parts = [self.name, f"batch{self.batch}" * (self.batch > 1)]
        parts += ["x".join(map(str, self.size))] if self.size else []
        parts += [self.target.replace(":", "-")] if self.target != "cpu" else []
        parts += [self.numerics] if self.numerics != "fast" else []
        return "-".join(filter(None, parts))


CONFIGS = [
    *(Config(name) for name in [*MODELS, *light.names()] if name not in REFUSED),
    *(Config(name, numerics="strict") for name in MODELS if name not in REFUSED),
    *(Config(name, batch=4) for name in ("resnet18", "mobilenet_v2", "densenet121")),
    *(Config(name, size=(160, 192)) for name in ("resnet18", "mobilenet_v2", "densenet121")),
    *(Config(name, target="cpu:haswell") for name in ("resnet18", "mobilenet_v2")),
    *(Config(name, target="opencl:intel-gen9", numerics="strict") for name in ON_A_DEVICE),
]


@dataclass(frozen=True)
class Case:
    """A network in ONNX, the same compiled, and an image."""

    onnx: onnx.ModelProto
    path: str
    compiled: CompiledModel
    inputs: Arrays
    tolerance: float


@pytest.fixture(scope="module", params=CONFIGS, ids=str)
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    config: Config = request.param
    if config.target.startswith("opencl:"):
        pytest.importorskip("pyopencl")
    model = described(config)
    weights = {weight.name for weight in model.graph.initializer}
    (data,) = [value for value in model.graph.input if value.name not in weights]
    shape = [dim.dim_value for dim in data.type.tensor_type.shape.dim]
    path = tmp_path_factory.mktemp("models") / f"{config.name}.onnx"
    onnx.save(model, path)
    compiled = lamina.compile(path, target=config.target, numerics=config.numerics, cache=False)
    image = np.random.default_rng(0).standard_normal(shape, np.float32)
    yield Case(model, str(path), compiled, {data.name: image}, TOLERANCE[config.numerics])
    path.unlink()  # half a gigabyte for VGG-16
    gc.collect()


def described(config: Config) -> onnx.ModelProto:
    """The network for that batch and size."""
    if config.name not in MODELS:
        return light.build(config.name)
    model = build(config.name, batch=config.batch, bn_stats=True)
    if config.size:
        for dim, n in zip(
            model.graph.input[0].type.tensor_type.shape.dim[2:], config.size, strict=True
        ):
            dim.dim_value = n
        del model.graph.value_info[:]
    return model


def by_onnxruntime(model: onnx.ModelProto | str, inputs: Arrays) -> Arrays:
    """The outputs of a model or of a file by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(
        model if isinstance(model, str) else model.SerializeToString(), options
    )
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, dict(inputs))
    return {name: np.asarray(value) for name, value in zip(names, found, strict=True)}


def cut(model: onnx.ModelProto, values: Arrays) -> tuple[onnx.ModelProto, Arrays]:
    """
    The model cut where these values are: each becomes an output, and who read it reads a new input
    instead, which is given the value. Also returns those inputs.
    """
    parts = onnx.ModelProto()
    parts.CopyFrom(model)
    for node in parts.graph.node:
        for position, name in enumerate(node.input):
            if name in values:
                node.input[position] = f"{name}:given"
    given = {f"{name}:given": value for name, value in values.items()}
    parts.graph.input.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
        for name, value in given.items()
    )
    known = {output.name for output in model.graph.output}
    parts.graph.output.extend(onnx.ValueInfoProto(name=n) for n in values if n not in known)
    return parts, given


def computed(case: Case) -> Arrays:
    """What every kernel computes, by the value's name in ONNX, each with its logical shape."""
    inferred = onnx.shape_inference.infer_shapes(case.onnx).graph
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*inferred.value_info, *inferred.output)
    }
    found: dict[str, np.ndarray] = {}
    for name, stored in case.compiled.values(case.inputs).items():
        if name.startswith("relayout") or "#" in name:
            continue  # a copy of what another kernel computed; a part of what one node computes
        assert name in shapes, f"kernel {name} computes no value of the model"
        found[name] = logical(stored, case.compiled.layouts[name], shapes[name])
    return found


def logical(stored: np.ndarray, layout: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of this shape from how it lies in memory, such as `NCHW16c, halo [1:1, 1:1]`."""
    order, _, halo = layout.partition(", halo ")
    sides = [(int(before), int(after)) for before, after in re.findall(r"(\d+):(\d+)", halo)]
    return Layout.parse(order, sides).invert_array(stored, shape)


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a share of the largest value."""
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def logits(model: onnx.ModelProto) -> list[str]:
    """What the outputs that are a softmax are computed from."""
    outputs = {output.name for output in model.graph.output}
    ends = [n for n in model.graph.node if n.op_type == "Softmax" and n.output[0] in outputs]
    return [n.input[0] for n in ends]


def test_every_network_is_compared() -> None:
    assert len({str(config) for config in CONFIGS}) == len(CONFIGS)
    assert {config.name for config in CONFIGS} | REFUSED == {*MODELS, *light.names()}
    assert len(light.names()) == 9


def test_result_is_that_of_onnxruntime(case: Case) -> None:
    expected = by_onnxruntime(case.path, case.inputs)
    found = case.compiled.run(case.inputs)
    assert list(found) == list(expected)
    differences = {name: difference(found[name], expected[name]) for name in expected}
    assert not {name: share for name, share in differences.items() if share > case.tolerance}


def test_every_kernel_computes_what_onnxruntime_does(case: Case) -> None:
    found = computed(case)
    parts, given = cut(case.onnx, found)
    expected = by_onnxruntime(parts, {**case.inputs, **given})
    differences = {name: difference(value, expected[name]) for name, value in found.items()}
    weighted = sum(node.op_type in ("Conv", "Gemm") for node in case.onnx.graph.node)
    assert len(differences) >= weighted, "some convolution or dense layer was not compared"
    assert not {name: share for name, share in differences.items() if share > case.tolerance}


def test_result_depends_on_the_input(case: Case) -> None:
    other = {name: -image for name, image in case.inputs.items()}
    inner = {*logits(case.onnx)} & case.compiled.layouts.keys()
    find = case.compiled.values if inner else case.compiled.run
    one, two = find(case.inputs), find(other)
    for name in inner or one:
        assert difference(two[name], one[name]) > 100 * TOLERANCE["strict"]
