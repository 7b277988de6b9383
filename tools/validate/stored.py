"""
The tensors that a function stores in 8 bits, compared one by one.

A number that is one step off changes what is computed from it, and some layers later most numbers
differ by several. So a pass is held to a step for each tensor alone: after the pass, each is
computed from the tensors of 8 bits that there were before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from lamina.dialects.graph import SOURCE, RequantizeFixedOp, ToStorageOp
from lamina.interpreters import Implementation, Run

STORE = (ToStorageOp, RequantizeFixedOp)
"""ops whose results are of 8 bits that stand for numbers"""


class OtherTensors(Exception):
    """Not the same tensors are stored as before; the message says which."""


@dataclass
class Steps:
    """How far numbers of 8 bits are from what they were."""

    changed: int = 0
    size: int = 0
    largest: int = 0

    def add(self, before: np.ndarray, after: np.ndarray) -> int:
        """Count one array more; the largest difference in it, in steps."""
        apart = np.abs(after.astype(np.int64) - before)
        most = int(apart.max(initial=0))
        self.changed += int(np.count_nonzero(apart))
        self.size += apart.size
        self.largest = max(self.largest, most)
        return most

    def __iadd__(self, other: Steps) -> Steps:
        self.changed += other.changed
        self.size += other.size
        self.largest = max(self.largest, other.largest)
        return self

    def __str__(self) -> str:
        if not self.changed:
            return f"none of {self.size} bytes differs"
        by = "a step" if self.largest == 1 else f"up to {self.largest} steps"
        return f"{self.changed} of {self.size} bytes differ by {by}"


class Recorder:
    """What the ops that store 8 bits compute, in the order in which they are executed."""

    def __init__(
        self,
        implementations: Mapping[type[Operation], Implementation],
        instead: Sequence[np.ndarray] | None = None,
    ):
        """`instead`: arrays to go on with in the place of those that are computed."""
        self.names: list[str] = []
        self.arrays: list[np.ndarray] = []
        self._instead = instead
        self._known: dict[type[Operation], Implementation] = {
            op: how for op, how in implementations.items() if issubclass(op, STORE)
        }

    @property
    def implementations(self) -> Mapping[type[Operation], Implementation]:
        """For the interpreter."""
        return dict.fromkeys(self._known, self._store)

    def _store(self, run: Run, op: Operation, args: Sequence[Any]) -> Sequence[Any]:
        results = self._known[type(op)](run, op, args)
        self.names.append(_name(op))
        self.arrays.append(np.asarray(results[0]))
        return results if self._instead is None else (self._other(),)

    def _other(self) -> np.ndarray:
        """What to go on with."""
        assert self._instead is not None
        k, new = len(self.arrays) - 1, self.arrays[-1]
        if k == len(self._instead):
            raise OtherTensors(f"{self.names[k]} was not stored in 8 bits before")
        old = self._instead[k]
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            raise OtherTensors(
                f"{self.names[k]}, {new.dtype} {list(new.shape)}, is stored where one of "
                f"{old.dtype} {list(old.shape)} was"
            )
        return old


def _name(op: Operation) -> str:
    """What a message calls the tensor that `op` stores."""
    source = op.attributes.get(SOURCE)
    return f"tensor '{source.data}'" if isinstance(source, StringAttr) else f"a result of {op.name}"
