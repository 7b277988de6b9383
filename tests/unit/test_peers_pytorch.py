"""Networks in PyTorch, as the bench runs them, beside ONNX Runtime."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lamina.errors import LaminaError
from lamina.tools import _report
from lamina.tools._arrays import load_npz, save_npz
from lamina.tools._rounds import choose_cpus, contenders
from tests.unit.tiny import close, reference, tiny_model

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="needs the extra `pytorch`, which CI installs"
)

X = np.random.default_rng(5).standard_normal((2, 4, 9, 11)).astype(np.float32)


def one(op: str, *constants: object, outputs: int = 1, opset: int = 17, **attributes: Any) -> Any:
    """A model of one node on X and constants."""
    names = [f"c{i}" for i in range(len(constants))]
    results = [f"y{i}" for i in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node(op, ["x", *names], results, name="n", **attributes)],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in results],
        [numpy_helper.from_array(np.asarray(c), n) for c, n in zip(constants, names, strict=True)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(6).uniform(0.5, 1.5, shape).astype(np.float32)


def integers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


MODELS = {
    "conv": one("Conv", random(6, 2, 3, 3), random(6), group=2, strides=[2, 1], pads=[1, 0, 1, 0]),
    "uneven conv": one("Conv", random(6, 4, 2, 3), dilations=[2, 1], pads=[0, 1, 2, 3]),
    "batch norm": one("BatchNormalization", *(random(4) for _ in range(4)), epsilon=1e-3),
    "max pool": one("MaxPool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1]),
    "average pool": one(
        "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "ceil": one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "global": one("GlobalAveragePool"),
    "clip": one("Clip", np.float32(0), np.float32(6)),
    "clip above": one("Clip", np.float32(-0.3)),
    "reshape": one("Reshape", integers(2, -1)),
    "split": one("Split", integers(1, 3), outputs=2, axis=1),
    "slice": one("Slice", integers(1, 0), integers(4, 9), integers(1, 3), integers(2, 3)),
    "softmax": one("Softmax", axis=1),
    "transpose": one("Transpose", perm=[0, 2, 3, 1]),
    "flatten": one("Flatten"),
    "add": one("Add", random(4, 1, 1)),
}


@pytest.mark.parametrize("name", MODELS)
def test_operator_agrees_with_onnx_runtime(name: str) -> None:
    from lamina.tools._onnx_to_torch import convert

    torch = import_module("torch")  # which the type checker need not find
    module, takes, gives = convert(MODELS[name])
    assert takes == ["x"]
    with torch.inference_mode():
        found = module(torch.from_numpy(X))
    want = reference(MODELS[name], {"x": X})
    assert gives == list(want)
    for y, wanted in zip(found, want.values(), strict=True):
        assert close(y.numpy(), wanted)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (one("Celu"), "operator ai.onnx Celu"),
        (one("Softmax", axis=1, opset=11), "the axis had before opset 13 in Softmax 'n'"),
        (one("Conv", random(6, 4, 3, 3), auto_pad="SAME_UPPER"), "auto_pad=SAME_UPPER in Conv 'n'"),
        (one("Flatten", axis=2), "axis=2 in Flatten 'n'"),
        (one("Reshape", integers(0, -1)), "a shape with zeros in Reshape 'n'"),
        (one("AveragePool", kernel_shape=[2, 2], pads=[0, 0, 1, 1]), "uneven padding that does"),
    ],
)
def test_what_is_not_converted_is_said(model: onnx.ModelProto, why: str) -> None:
    from lamina.tools._onnx_to_torch import CannotConvert, convert

    with pytest.raises(CannotConvert, match=why):
        convert(model)


def test_eager_and_compiled_agree_with_onnx_runtime(tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "tiny.onnx")
    inputs = {"data": np.ones((1, 3, 12, 12), np.float32)}
    save_npz(tmp_path / "in.npz", inputs)
    names = ["pytorch", "pytorch-compiled"]
    with contenders(dict.fromkeys(names, choose_cpus(1))) as field:
        for name, contender in field.items():
            options = {"shapes": {}}
            loaded = contender.ask(
                "load", runner=name, path=f"{tmp_path}/tiny.onnx", threads=1, options=options
            )
            assert loaded["version"]
            contender.ask("outputs", inputs=f"{tmp_path}/in.npz", outputs=f"{tmp_path}/{name}")
            found = load_npz(tmp_path / name)
            assert _report.difference(reference(tiny_model(), inputs), found) < 1e-5
            assert len(contender.ask("time", warm_up=0, runs=2)["times"]) == 2


def test_refusal_is_an_answer_and_an_error_is_not(tmp_path: Path) -> None:
    onnx.save(one("Celu"), tmp_path / "celu.onnx")
    request = {"runner": "pytorch", "threads": 1, "options": {"shapes": {}}}
    with contenders({"pytorch": choose_cpus(1)}) as field:
        answer = field["pytorch"].ask("load", path=f"{tmp_path}/celu.onnx", **request)
        assert answer == {"cannot": "cannot convert: operator ai.onnx Celu"}
        with pytest.raises(LaminaError, match="its process died"):
            field["pytorch"].ask("load", path=f"{tmp_path}/no.onnx", **request)
