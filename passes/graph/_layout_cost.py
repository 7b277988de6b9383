"""
What a convolution, a transform or a pass over memory costs in each layout, on any machine.

`_layout_cost_cpu.py` and `_layout_cost_subgroups.py` say it for CPUs and for devices of OpenCL;
whoever chooses layouts asks `costs_on` of `_layout_devices.py` and knows of neither.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec

from lamina.backends.machine import Machine
from lamina.dialects.layout import Layout
from lamina.passes.graph._layout_blocks import Packing
from lamina.passes.graph._layout_workload import Workload

P = ParamSpec("P")


@dataclass(frozen=True)
class LayoutCosts(ABC):
    """What things cost on one machine, in seconds."""

    machine: Machine
    tiles: bool = False
    """whether convolutions may be computed by tiles"""
    known: dict[tuple[object, ...], float] = field(
        default_factory=dict[tuple[object, ...], float], compare=False
    )
    """what was asked before: the same occurs many times in a network"""

    # -- what there is to choose from

    @property
    @abstractmethod
    def layouts(self) -> tuple[Layout, ...]:
        """Of tensors of numbers; of equally fast ones the first is taken."""

    @property
    @abstractmethod
    def of_bytes(self) -> tuple[Layout, ...]:
        """Of tensors of bytes."""

    @property
    @abstractmethod
    def packing(self) -> Packing:
        """How weights are packed."""

    @property
    @abstractmethod
    def doubt(self) -> float:
        """What a choice other than the usual one has to gain: costs are no more exact than this."""

    # -- seconds

    @property
    @abstractmethod
    def call(self) -> float:
        """Of one kernel more."""

    @abstractmethod
    def convolution(self, w: Workload, x: Layout, y: Layout) -> float:
        """Of a kernel from one layout to another."""

    def transform(self, shape: tuple[int, ...], x: Layout, y: Layout, width: int = 4) -> float:
        """
        Storing a tensor of elements of `width` bytes in another layout; nothing where its bytes
        stay as they are.
        """
        if x.text == y.text or x.stores_like(y, shape):
            return 0.0
        return self.rearranged(shape, x, y, width) + self.call

    def rearranged(self, shape: tuple[int, ...], x: Layout, y: Layout, width: int = 4) -> float:
        """Reading a tensor in one layout and writing it in another, as part of a kernel."""
        return self.once(self._rearranged, shape, x, y, width)

    def copied(self, shape: tuple[int, ...], *layouts: Layout, width: float = 4) -> float:
        """
        Reading or writing a tensor of elements of `width` bytes in each of these layouts, in order.
        """
        return self.once(self._copied, shape, layouts, width)

    def window(
        self, shape: tuple[int, ...], taps: int, stride: int, y: Layout, width: int = 4
    ) -> float:
        """
        A window of `taps` elements of `width` bytes over each channel, which gives a tensor of this
        shape.
        """
        return self.once(self._window, shape, taps, stride, y, width)

    @abstractmethod
    def _rearranged(self, shape: tuple[int, ...], x: Layout, y: Layout, width: int) -> float: ...

    @abstractmethod
    def _copied(
        self, shape: tuple[int, ...], layouts: tuple[Layout, ...], width: float
    ) -> float: ...

    @abstractmethod
    def _window(
        self, shape: tuple[int, ...], taps: int, stride: int, y: Layout, width: int
    ) -> float: ...

    def once(self, f: Callable[P, float], *args: P.args, **kwargs: P.kwargs) -> float:
        """What `f` says, which is asked only once for the same."""
        key = f.__name__, *args
        if key not in self.known:
            self.known[key] = f(*args, **kwargs)
        return self.known[key]
