"""`int8-annotate` and `int8-simulate` do on `graph` what the quantizer does in ONNX."""

import json
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import PassPipeline
from xdsl.utils.exceptions import PassFailedException

from lamina import interpreters, passes
from lamina.context import LaminaContext, new_context
from lamina.dialects.graph import DequantizeOp, QuantizeOp
from lamina.frontends.onnx import import_model
from lamina.passes.int8._rules import Rules
from lamina.tools.quantize.quantizer import Quantizer, Settings
from tests.unit.onnx_models import run_onnxruntime
from tests.unit.rewriting import rewrite
from tests.unit.small_network import samples, small_network

IMAGE = samples(1, seed=4)


@pytest.fixture
def network() -> tuple[LaminaContext, ModuleOp]:
    ctx = new_context()
    return ctx, import_model(small_network(), ctx.weights)


def apply(network: tuple[LaminaContext, ModuleOp], pipeline: str) -> None:
    PassPipeline.parse_spec(passes.available(), pipeline).apply(*network)
    network[1].verify()


def result(network: tuple[LaminaContext, ModuleOp]) -> np.ndarray:
    return interpreters.call(network[1], "main", [IMAGE], store=network[0].weights)[0]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("activations", "seven_bit"), [("u8", False), ("s8", True)])
def test_simulated_network_computes_what_the_onnx_file_does(
    network: tuple[LaminaContext, ModuleOp],
    tmp_path: Path,
    whole: bool,
    activations: str,
    seven_bit: bool,
) -> None:
    settings = Settings(activations=activations, seven_bit=seven_bit, rules=Rules(whole=whole))
    quantizer = Quantizer(small_network(), settings)
    ranges = {name: (-1.5 - k / 8, 2.0 + k) for k, name in enumerate(quantizer.observed)}
    (tmp_path / "r.json").write_text(json.dumps(ranges))
    options = f'ranges="{tmp_path}/r.json" activations={activations} seven_bit={seven_bit}'.lower()
    annotate = f"int8-annotate{{whole={whole}}}".lower()
    exact = result(network)
    apply(network, f"fold-batch-norm,{annotate},int8-simulate{{{options}}}")
    found = result(network)
    (want,) = run_onnxruntime(quantizer.written(ranges), [IMAGE])
    far = np.abs(exact - want).max()
    assert np.abs(found - want).max() <= 0.05 * far
    pairs = [op for op in network[1].walk() if isinstance(op, QuantizeOp)]
    assert len(pairs) == len(quantizer.plan.tensors)
    weights = sum(isinstance(op, DequantizeOp) for op in network[1].walk()) - len(pairs)
    biases = 4 if whole else 2
    assert weights == len(quantizer.plan.layers) + biases
    assert "int8." not in str(network[1])


def test_simulation_without_annotations_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    text = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\nfunc.return %x : tensor<4xf32>\n}"
    simulate = f'int8-simulate{{ranges="{tmp_path}/r.json"}}'
    assert str(rewrite(text, simulate)) == str(rewrite(text, "verify-dominance"))


def test_annotations_can_be_written_anew(network: tuple[LaminaContext, ModuleOp]) -> None:
    apply(network, "int8-annotate{whole=true}")
    once = str(network[1])
    apply(network, "int8-annotate{whole=true}")
    assert str(network[1]) == once
    assert once.count("int8.layer") == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("int8-annotate{kinds=conv,gru}", "int8-annotate: kinds are conv, dense, .*, found 'gru'"),
        ("int8-annotate{keep_float=conv9}", "int8-annotate: no op is named like 'conv9', which is"),
        ("int8-simulate{ranges=r activations=i8}", "int8-simulate: activations are u8 or s8, foun"),
        ("int8-simulate{ranges=nowhere}", "int8-simulate: cannot read 'nowhere': No such file"),
        ("int8-annotate,int8-simulate{ranges=r.json}", "int8-simulate: 'r.json': no range of tens"),
    ],
)
def test_options_that_cannot_work_are_refused(
    network: tuple[LaminaContext, ModuleOp],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    message: str,
) -> None:
    (tmp_path / "r.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PassFailedException, match=message):
        apply(network, options.replace("nowhere", '"nowhere"').replace("r.json", '"r.json"'))
