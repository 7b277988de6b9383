"""
PyTorch as a contender, from the ONNX file through `_onnx_to_torch`.

Images and weights have their channels last, as PyTorch advises on CPUs; all else is as a user of
PyTorch finds it.
"""

from __future__ import annotations

from typing import Any

import onnx
import torch

from lamina.tools._arrays import Arrays, Specs
from lamina.tools._onnx_to_torch import CannotConvert, convert
from lamina.tools._peers import Refused


class PyTorch:
    """Eager mode: each operator is called when its turn comes."""

    def __init__(self, path: str, threads: int) -> None:
        self.version = str(torch.__version__)
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        try:
            module, self.takes, self.gives = convert(onnx.load(path))
        except CannotConvert as e:
            raise Refused(f"cannot convert: {e}") from e
        self.module = self.prepared(module.to(memory_format=torch.channels_last))
        self.inputs: Specs = []

    def prepared(self, module: torch.nn.Module) -> Any:
        """What is called to run the network."""
        return module

    def run(self, inputs: Arrays) -> Arrays:
        """The outputs by name."""
        given = [torch.from_numpy(inputs[name]) for name in self.takes]
        given = [x.to(memory_format=torch.channels_last) if x.ndim == 4 else x for x in given]
        with torch.inference_mode():
            results = self.module(*given)
        return {name: y.numpy() for name, y in zip(self.gives, results, strict=True)}


class PyTorchCompiled(PyTorch):
    """`torch.compile` with its default back end and options; it compiles on the first run."""

    def prepared(self, module: torch.nn.Module) -> Any:
        """What is called to run the network."""
        return torch.compile(module)
