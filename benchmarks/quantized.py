"""
Networks of bytes: those with recorded batch-norm statistics, quantized by ONNX Runtime.

They are in QDQ form, which other libraries read too; ONNX Runtime's own preparation has folded the
batch norms. A variant says which bytes stand for activations, and whether each output channel of
the weights, which are signed bytes, has a scale of its own. Ranges are the least and the largest
values on a few images whose spectrum is that of the images with which the statistics were recorded.
The same arguments give the same bytes.

    python -m benchmarks.quantized [resnet50 vgg19 ...] [--variants u8s8-channel,...] [-o FOLDER]
    lamina bench build/quantized/*.onnx --against onnxruntime,openvino
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.quantization import CalibrationDataReader, QuantType
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.models import MODELS, build, has_bn_stats

NETWORKS = tuple(name for name in MODELS if has_bn_stats(name))

VARIANTS: Mapping[str, tuple[QuantType, bool]] = {
    f"{kind}-{scales}": (type, scales == "channel")
    for kind, type in (("u8s8", QuantType.QUInt8), ("s8s8", QuantType.QInt8))
    for scales in ("tensor", "channel")
}
"""name -> the type of activations, and whether each output channel has a scale"""

SLOPE = 1.25
"""images: amplitudes fall with the frequency to this power"""

DEVIATION = 0.84
"""standard deviation of each channel of an image"""


def image(shape: Sequence[int], seed: int) -> np.ndarray:
    """
    Independent channels of noise as smooth as photographs are. With these numbers, the variances
    behind the first convolution are within a tenth of those in `models/bn_stats`.
    """
    *_, h, w = shape
    frequency = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None])
    frequency[0, 0] = np.inf  # the mean is 0
    noise = np.random.default_rng(seed).standard_normal(shape)
    x = np.fft.irfft2(np.fft.rfft2(noise) / frequency**SLOPE, s=(h, w))
    return (x * (DEVIATION / x.std((-2, -1), keepdims=True))).astype(np.float32)


class Images(CalibrationDataReader):
    """The first `count` images for a model."""

    def __init__(self, model: onnx.ModelProto, count: int) -> None:
        (data,) = model.graph.input
        shape = [dim.dim_value for dim in data.type.tensor_type.shape.dim]
        self.all = iter([{data.name: image(shape, seed)} for seed in range(count)])

    def get_next(self) -> Any:
        """The next image, None if there is none: as ONNX Runtime asks for it."""
        return next(self.all, None)


def prepared(name: str) -> onnx.ModelProto:
    """The network with folded batch norms and known shapes."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/prepared.onnx"
        quant_pre_process(build(name, bn_stats=True), path, skip_symbolic_shape=True)
        return onnx.load(path)


def quantized(model: onnx.ModelProto, variant: str, images: int = 8) -> onnx.ModelProto:
    """This variant of a prepared network."""
    activations, per_channel = VARIANTS[variant]
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f"{folder}/float.onnx")  # of a model in memory it would move the weights
        path = f"{folder}/quantized.onnx"
        quantization.quantize_static(
            f"{folder}/float.onnx",
            path,
            Images(model, images),
            per_channel=per_channel,
            activation_type=activations,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """What the user asked for."""
    parser = argparse.ArgumentParser("python -m benchmarks.quantized", description=__doc__)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="all of them if left out")
    parser.add_argument(
        "--variants",
        type=lambda text: text.split(","),
        default=[*VARIANTS],
        metavar="NAME,...",
        help=f"some of {', '.join(VARIANTS)} (default: all)",
    )
    parser.add_argument("--images", type=int, default=8, help="to measure ranges on (default: 8)")
    parser.add_argument("-o", "--out", type=Path, default=Path("build/quantized"), metavar="FOLDER")
    chosen = parser.parse_args(argv)
    for found, known in ((chosen.networks, NETWORKS), (chosen.variants, VARIANTS)):
        if unknown := [name for name in found if name not in known]:
            parser.error(f"no {', '.join(unknown)}; there are {', '.join(known)}")
    chosen.networks = chosen.networks or NETWORKS
    return chosen


def main(argv: Sequence[str] | None = None) -> None:
    """Write each variant of each network."""
    chosen = arguments(argv)
    logging.disable(logging.WARNING)  # ONNX Runtime's advice to do what is done here
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.networks:
        model = prepared(name)
        for variant in chosen.variants:
            path = chosen.out / f"{name}-{variant}.onnx"
            onnx.save(quantized(model, variant, chosen.images), path)
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
