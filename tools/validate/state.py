"""What is known about one module: its functions, and what they have been seen to compute."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from lamina.tools.validate.native import functions_of, reached
from lamina.tools.validate.signature import Signature


@dataclass
class Run:
    """What a function computed from one sample."""

    slots: list[np.ndarray]
    results: list[np.ndarray]
    native: bool = False


@dataclass
class State:
    """One module between two passes."""

    module: ModuleOp
    previous: State | None = None
    runs: dict[str, dict[str, Run]] = field(default_factory=dict)
    """by function and kind of sample, as far as they were needed"""

    def __post_init__(self) -> None:
        self.functions = {
            name: f for name, f in functions_of(self.module).items() if not f.is_declaration
        }
        self.signatures = {name: Signature.of(f) for name, f in self.functions.items()}
        own = {name: str(f) for name, f in self.functions.items()}
        self.own_text = own
        self.reached = {name: reached(self.module, name) for name in own}
        self.text = {
            name: "\n".join(own.get(callee, callee) for callee in callees)
            for name, callees in self.reached.items()
        }
        """a function and all it calls: equal text is an equal function"""
        for name, text in self.text.items() if self.previous else ():
            assert self.previous is not None
            if self.previous.text.get(name) == text and name in self.previous.runs:
                self.runs[name] = self.previous.runs[name]
        self.previous = None  # what it knew is here now

    def callers(self, name: str) -> list[str]:
        """The other functions that reach `name`."""
        return [f for f, callees in self.reached.items() if name in callees and f != name]
