"""What can be chosen when a model is compiled, from the command down to the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from lamina.errors import LaminaError

NUMERICS = ("fast", "strict")
REQUANTIZE = ("float", "fixed")
STORAGE = ("f32", "f16")
LAYOUTS = ("exact", "heuristic", "greedy", "local", "blocked", "nhwc", "nchw")


@dataclass(frozen=True)
class Options:
    """How a model is compiled; LaminaError for what there is not."""

    threads: int = 1
    """on which each call of the model runs"""
    numerics: str = "fast"
    """"strict": sums are of the products that the model says; "fast": also of others, if fewer"""
    layouts: str = "exact"
    """how it is chosen how tensors are stored; "exact" is best, the rest are for comparison"""

    requantize: str = "float"
    """"float": integers are scaled to 8 bits as ONNX says; "fixed": by multipliers and shifts"""
    place: tuple[str, ...] = ()
    """rules such as "graph.softmax:cpu" that say which device computes what, the last one wins"""

    storage: str = "f32"
    """as what floats lie in memory between kernels; with "f16" they are still computed in f32"""

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise LaminaError(f"a model needs at least 1 thread, got threads={self.threads}")
        if self.numerics not in NUMERICS:
            raise LaminaError(f"numerics are {' or '.join(NUMERICS)}, found '{self.numerics}'")
        if self.requantize not in REQUANTIZE:
            known = " or ".join(REQUANTIZE)
            raise LaminaError(f"requantize is {known}, found '{self.requantize}'")
        if self.storage not in STORAGE:
            raise LaminaError(f"storage is {' or '.join(STORAGE)}, found '{self.storage}'")
        if self.layouts not in LAYOUTS:
            raise LaminaError(f"layouts are one of {', '.join(LAYOUTS)}, found '{self.layouts}'")
