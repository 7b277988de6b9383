"""
The networks we measure, written as ONNX from their papers with random weights that behave.

    python -m benchmarks.models resnet50 --bn-stats --out build/models

The same name, seed and batch give the same bytes on every machine: each tensor is drawn from a
generator of its own, seeded by the seed, the model's name and the tensor's. `network.py` says how
the weights are scaled. Networks of many layers still drive every image to one class with random
batch norms, so `bn_stats/` holds statistics that were recorded on images for some of them (and the
classifier's bias that centres the answers): use them wherever the answer of the network, and not
only its arithmetic, is compared.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx

from benchmarks.models import densenet, inception, mobilenet, resnet, squeezenet, ssd, vgg
from benchmarks.models.network import Network

BN_STATS = Path(__file__).parent / "bn_stats"

Define = Callable[[Network, int], Mapping[str, str]]
"""Adds a model for one batch size to a network; returns the outputs: name -> value."""

MODELS: Mapping[str, Define] = {
    **resnet.MODELS,
    **vgg.MODELS,
    **densenet.MODELS,
    **inception.MODELS,
    **mobilenet.MODELS,
    **squeezenet.MODELS,
    **ssd.MODELS,
}

MEASURED = tuple(n for n in MODELS if not n.endswith(("_v1", "_nms")) or n == "mobilenet_v1")
"""without ResNets whose strides lie elsewhere, and without the end of a detector"""


def network(name: str, *, seed: int = 0, batch: int = 1, opset: int = 17) -> Network:
    """The network called `name`, with its weights, before it becomes ONNX."""
    if name not in MODELS:
        raise KeyError(f"no model '{name}'; there are {', '.join(MODELS)}")
    net = Network(name, seed, opset)
    net.outputs = dict(MODELS[name](net, batch))
    return net


def build(
    name: str, *, seed: int = 0, batch: int = 1, opset: int = 17, bn_stats: bool = False
) -> onnx.ModelProto:
    """The model called `name`; with `bn_stats`, its recorded statistics where there are some."""
    model = network(name, seed=seed, batch=batch, opset=opset).model()
    if bn_stats and has_bn_stats(name):
        with np.load(BN_STATS / f"{name}.npz") as recorded:
            for weight in model.graph.initializer:
                if weight.name in recorded:
                    weight.CopyFrom(
                        onnx.numpy_helper.from_array(recorded[weight.name], weight.name)
                    )
    return model


def has_bn_stats(name: str) -> bool:
    """Whether batch-norm statistics were recorded for this model."""
    return (BN_STATS / f"{name}.npz").exists()


def file_of(name: str, folder: str) -> Path:
    """The file `name` if it is one, else the network called so, written into `folder`."""
    path = Path(name)
    if path.suffix != ".onnx":
        path = Path(folder) / f"{name}.onnx"
        onnx.save(build(name), path)
    return path
