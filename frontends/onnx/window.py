"""Strides and padding of windows, in all the ways that ONNX can say them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value, whole


@dataclass(frozen=True)
class Window:
    """A window over height and width, or over a volume; `pads` are [top, left, bottom, right]."""

    size: tuple[int, ...]
    """height and width of the tensor, or depth, height and width"""
    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[int]
    ceil: bool

    @staticmethod
    def read(node: Node, kernel: Sequence[int], most: int = 2) -> Window:
        """
        The window of a node over `most` dimensions at most; `kernel` is what it must be if the node
        does not say. One over a line is one over an image of height 1.
        """
        size = node.shape(0)[2:]
        rank = len(size)
        if not 1 <= rank <= most or len(kernel) != rank:
            raise Unsupported(f"of {rank} spatial dimensions; 1 to {most} are supported")
        window = Window(
            size,
            whole(node.optional("kernel_shape"), kernel),
            whole(node.optional("strides"), [1] * rank),
            whole(node.optional("dilations"), [1] * rank),
            whole(node.optional("pads"), [0] * 2 * rank),
            bool(node.attribute("ceil_mode", 0)),
        )
        for what, values in (("strides", window.strides), ("dilations", window.dilations)):
            if len(values) != rank:
                raise Unsupported(f"with {what} {values}; {rank} are needed")
        if len(window.pads) != 2 * rank:
            raise Unsupported(f"with pads {window.pads}; {2 * rank} are needed")
        if window.kernel != list(kernel):
            raise Unsupported(f"with kernel_shape {window.kernel} and weights {list(kernel)}")
        if min(window.pads) < 0:
            raise Unsupported(f"with negative pads {window.pads}")
        return window.of_height_1() if rank == 1 else window

    @staticmethod
    def padded(node: Node, kernel: Sequence[int], most: int = 2) -> Window:
        """`read`, with the padding that `auto_pad` asks for."""
        return Window.read(node, kernel, most).automatic(node.attribute("auto_pad", "NOTSET"))

    def of_height_1(self) -> Window:
        """This window over a line as one over an image."""
        (before, after), one = self.pads, [1]
        return Window(
            (1, *self.size),
            one + self.kernel,
            one + self.strides,
            one + self.dilations,
            [0, before, 0, after],
            self.ceil,
        )

    def apart(self) -> tuple[Window, Window]:
        """
        This window over a volume as one along the depth, over images of depth by all the rest, and
        one over height and width: maxima and means over both, one after the other, are the same.
        """
        k, s, d, p = self.kernel, self.strides, self.dilations, self.pads
        depth, height, width = self.size
        along = (depth, height * width), [k[0], 1], [s[0], 1], [d[0], 1], [p[0], 0, p[3], 0]
        across = (height, width), k[1:], s[1:], d[1:], [*p[1:3], *p[4:]]
        return Window(*along, self.ceil), Window(*across, self.ceil)

    def automatic(self, auto_pad: str) -> Window:
        """This window with the padding that `auto_pad` asks for."""
        if auto_pad == "NOTSET":
            return self
        rank = len(self.size)
        pads = [0] * 2 * rank
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            for i, (n, extent, stride) in enumerate(
                zip(self.size, self.extent, self.strides, strict=True)
            ):
                total = (-(-n // stride) - 1) * stride + extent - n
                if total < -1:  # implementations differ in where the first window starts
                    raise Unsupported(f"with auto_pad {auto_pad} and strides {self.strides}")
                total = max(total, 0)
                more, less = total - total // 2, total // 2
                pads[i], pads[i + rank] = (less, more) if auto_pad == "SAME_UPPER" else (more, less)
        elif auto_pad != "VALID":
            raise Unsupported(f"with auto_pad {auto_pad}")
        ceil = self.ceil and auto_pad == "VALID"  # the others ask for a number of windows
        return Window(self.size, self.kernel, self.strides, self.dilations, pads, ceil)

    @property
    def extent(self) -> list[int]:
        """From the first tap to the last, in elements."""
        return [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]

    def covering_pads(self) -> list[int]:
        """
        The padding that makes the rounded-down number of windows what `ceil_mode` asks for.

        ONNX: ceil((n + pads - extent) / stride) + 1 windows, less one if the last would start in
        the padding at the end.
        """
        pads = list(self.pads)
        for i in range(2) if self.ceil else ():
            n, stride, extent = self.size[i], self.strides[i], self.extent[i]
            before, after = self.pads[i], self.pads[i + 2]
            windows = -(-(n + before + after - extent) // stride) + 1
            if (windows - 1) * stride >= n + before:
                windows -= 1
            least = (windows - 1) * stride + extent - n - before
            pads[i + 2] = min(max(after, least), least + stride - 1)
        return pads

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """
        For rows and for columns of windows: how many taps of each lie in the tensor or in its
        `pads`. What `ceil_mode` adds beyond them does not count.
        """
        counts: list[np.ndarray] = []
        for i in range(2):
            before, end = self.pads[i], self.size[i] + self.pads[i + 2]
            extent, covered = self.extent[i], self.size[i] + before + self.covering_pads()[i + 2]
            starts = np.arange(0, covered - extent + 1, self.strides[i]) - before
            taps = starts[:, None] + np.arange(self.kernel[i]) * self.dilations[i]
            counts.append((taps < end).sum(axis=1))
        return counts[0], counts[1]


def image(node: Node, i: int) -> SSAValue:
    """Input `i` with height and width: lines become images of height 1, which is a view."""
    size = node.shape(i)
    if len(size) != 3:
        return node.tensor(i)
    x = reshaped(node, node.value(i), (*size[:2], 1, size[2]))
    return x if isinstance(x, SSAValue) else node.known(x, node.name_of(i))


def like(node: Node, y: SSAValue) -> Value:
    """`y` with as many dimensions as input 0 of the node has: `image` undone."""
    size = graph.shape(y)
    return reshaped(node, y, (*size[:2], size[3])) if len(node.shape(0)) == 3 else y
