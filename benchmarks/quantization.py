"""
How like its float model a quantized network is, beside ONNX Runtime's quantizer: the same method,
the same data, one runtime for both results, and other images than those of the calibration.

    python -m benchmarks.quantization [resnet50 mobilenet_v2 | FILE.onnx ...] [--method entropy]

`whole` has all layers in 8 bits, as ONNX Runtime's has; by default the first convolution and the
last layer stay float. The cosine is that of all outputs of all images, before a last softmax.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper

import lamina
from benchmarks.models import BN_STATS, build
from lamina.tools._report import table

METHODS = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}
"""ours -> ONNX Runtime's"""


def images(count: int, size: Sequence[int], seed: int) -> np.ndarray:
    """Noise on several scales, each image with a brightness and a contrast of its own."""
    rng = np.random.default_rng(seed)
    _, channels, height, width = size
    found = np.zeros((count, channels, height, width), np.float32)
    for scale in (1, 4, 16, 64):
        small = rng.standard_normal((count, channels, -(-height // scale), -(-width // scale)))
        found += np.kron(small, np.ones((1, 1, scale, scale)))[..., :height, :width]
    contrast, brightness = rng.uniform(0.2, 0.8, (count, 1, 1, 1)), rng.uniform(-0.5, 0.5, count)
    return (found * contrast + brightness[:, None, None, None]).astype(np.float32)


def without_softmax(model: ModelProto) -> ModelProto:
    """The model whose outputs are what a last softmax reads."""
    found = ModelProto()
    found.CopyFrom(model)
    (output,) = found.graph.output
    last = next(n for n in found.graph.node if n.output[0] == output.name)
    if last.op_type == "Softmax":
        found.graph.node.remove(last)
        output.CopyFrom(helper.make_tensor_value_info(last.input[0], TensorProto.FLOAT, None))
        del found.graph.value_info[:]
        found = onnx.shape_inference.infer_shapes(found)
    return found


def outputs(model: ModelProto, name: str, data: np.ndarray) -> np.ndarray:
    """What ONNX Runtime makes of each image."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return np.array([np.asarray(session.run(None, {name: x[None]})[0]) for x in data])


def by_onnxruntime(model: ModelProto, name: str, data: np.ndarray, method: str) -> ModelProto:
    """The model as ONNX Runtime quantizes it: u8 and s8 by channel, batch norms folded before."""
    from onnxruntime import quantization  # warns that PyTorch is missing
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._samples = iter(data)

        def get_next(self) -> Any:  # a sample, and None after the last one
            x = next(self._samples, None)
            return None if x is None else {name: x[None]}

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        source, folded, result = (os.path.join(folder, f"{k}.onnx") for k in range(3))
        onnx.save(model, source)
        quant_pre_process(source, folded, skip_symbolic_shape=True)
        quantization.quantize_static(
            folded,
            result,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=getattr(quantization.CalibrationMethod, METHODS[method]),
        )
        return onnx.load(result)


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """Of the angle between two lists of numbers."""
    a, b = (z.reshape(-1).astype(np.float64) for z in (x, y))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def cosines(model: ModelProto, method: str, count: int) -> dict[str, float]:
    """The cosine of each way to quantize a model."""
    model = without_softmax(model)
    weights = {t.name for t in model.graph.initializer}
    (given,) = [v for v in model.graph.input if v.name not in weights]
    size = [d.dim_value for d in given.type.tensor_type.shape.dim]
    data, others = images(count, size, 0), images(count, size, 1)
    exact = outputs(model, given.name, others)
    found = {
        "onnxruntime": by_onnxruntime(model, given.name, data, method),
        "whole": lamina.quantize(model, data, method=method, whole=True),
        "default": lamina.quantize(model, data, method=method),
    }
    return {k: cosine(exact, outputs(q, given.name, others)) for k, q in found.items()}


def rows(models: Sequence[str], method: str, count: int) -> Iterator[list[str]]:
    """A line for each model."""
    yield ["", "onnxruntime", "whole", "default"]
    for name in models:
        model = onnx.load(name) if name.endswith(".onnx") else build(name, bn_stats=True)
        found = cosines(model, method, count)
        yield [Path(name).stem, *(f"{x:.5f}" for x in found.values())]
        print(Path(name).stem, found, file=sys.stderr, flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=sorted(p.stem for p in BN_STATS.iterdir()))
    parser.add_argument("--method", choices=METHODS, default="minmax")
    parser.add_argument("--images", type=int, default=8, help="to calibrate, and to compare")
    chosen = parser.parse_args()
    print(table(list(rows(chosen.models, chosen.method, chosen.images))))


if __name__ == "__main__":
    main()
