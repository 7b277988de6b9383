"""
The libraries that `lamina bench` can time, each behind the same two attributes and one method.

Threads are set explicitly everywhere, and so is fp32: what is compared is one thing. Each library
is imported by its own class only, because a contender's process must hold no other one.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from lamina.tools._arrays import Arrays, Specs

PEERS = {
    "onnxruntime": ("onnxruntime", "bench"),
    "openvino": ("openvino", "bench"),
    "pytorch": ("torch", "pytorch"),
    "pytorch-compiled": ("torch", "pytorch"),
}
"""name on the command line -> the package it needs, and the extra of ours that installs it"""


class Refused(Exception):
    """A library does not take a model: a result of the comparison, not an error in it."""


class Runner(Protocol):
    """A loaded model; `run` is what is timed, from NumPy arrays to NumPy arrays."""

    version: str
    inputs: Specs

    def run(self, inputs: Arrays) -> Arrays:
        """The outputs by name."""
        ...


class Lamina:
    """This compiler; compiled models are loaded as they are."""

    def __init__(self, path: str, threads: int, options: dict) -> None:
        import lamina
        from lamina.tools._models import open_model

        self.version = lamina.__version__
        self.model = open_model(path, {"threads": threads, **options})
        self.inputs: Specs = self.model.inputs

    def run(self, inputs: Arrays) -> Arrays:
        """The outputs by name."""
        return self.model.run(inputs)


class OnnxRuntime:
    """ONNX Runtime's CPU provider with all graph optimisations."""

    def __init__(self, path: str, threads: int, options: dict) -> None:
        import onnxruntime as ort

        self.version = ort.__version__
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        self.session = ort.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        self.inputs: Specs = []

    def run(self, inputs: Arrays) -> Arrays:
        """The outputs by name."""
        results = self.session.run(None, dict(inputs))
        return dict(zip(self.names, map(np.asarray, results), strict=True))


class OpenVino:
    """OpenVINO's CPU plug-in, compiled for latency."""

    def __init__(self, path: str, threads: int, options: dict) -> None:
        import openvino as ov

        self.version = ov.__version__.partition("-")[0]
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        core = ov.Core()
        model = core.read_model(path)
        if shapes := options["shapes"]:
            model.reshape({name: list(shape) for name, shape in shapes.items()})
        compiled = core.compile_model(model, "CPU", settings)
        self.request = compiled.create_infer_request()
        self.names = [(port, port.get_names()) for port in compiled.outputs]
        self.inputs: Specs = []

    def run(self, inputs: Arrays) -> Arrays:
        """The outputs by each of their names."""
        results = self.request.infer(inputs, share_inputs=True, share_outputs=True)
        return {name: np.asarray(results[port]) for port, names in self.names for name in names}


def _lamina_on_openmp(path: str, threads: int, options: dict) -> Runner:
    os.environ["LAMINA_POOL"] = "openmp"
    return Lamina(path, threads, options)


def _pytorch(path: str, threads: int, options: dict) -> Runner:
    from lamina.tools._peers_pytorch import PyTorch

    return PyTorch(path, threads)


def _pytorch_compiled(path: str, threads: int, options: dict) -> Runner:
    _avoid_spaces("torch")
    from lamina.tools._peers_pytorch import PyTorchCompiled

    return PyTorchCompiled(path, threads)


def _avoid_spaces(package: str) -> None:
    """
    Let `package` be imported through a link if the path to it has spaces: `torch.compile` gives
    that path to the C++ compiler without quotes, whenever it compiles.
    """
    spec = find_spec(package)
    assert spec is not None, package
    assert spec.origin is not None, package
    folder = Path(spec.origin).parents[1]
    if " " in str(folder):
        link = Path(tempfile.mkdtemp(prefix="lamina-")) / "packages"
        link.symlink_to(folder)
        atexit.register(shutil.rmtree, link.parent)
        sys.path.insert(0, str(link))


RUNNERS: dict[str, Callable[[str, int, dict], Runner]] = {
    "lamina": Lamina,
    "lamina-openmp": _lamina_on_openmp,
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
    "pytorch": _pytorch,
    "pytorch-compiled": _pytorch_compiled,
}
"""name -> from path, threads and the options of Lamina's compiler to a loaded model"""
