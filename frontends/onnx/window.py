"""Strides and padding of windows, in all the ways that ONNX can say them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lamina.frontends.onnx.node import Node, Unsupported, whole


@dataclass(frozen=True)
class Window:
    """A window over height and width; `pads` are [top, left, bottom, right]."""

    size: tuple[int, ...]
    """height and width of the tensor"""
    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[int]
    ceil: bool

    @staticmethod
    def read(node: Node, kernel: Sequence[int]) -> Window:
        """The window of a node; `kernel` is what it must be if the node does not say."""
        size = node.shape(0)
        if len(size) != 4 or len(kernel) != 2:
            raise Unsupported(f"of {len(size) - 2} spatial dimensions; 2 are supported")
        window = Window(
            size[2:],
            whole(node.optional("kernel_shape"), kernel),
            whole(node.optional("strides"), (1, 1)),
            whole(node.optional("dilations"), (1, 1)),
            whole(node.optional("pads"), (0, 0, 0, 0)),
            bool(node.attribute("ceil_mode", 0)),
        )
        for what, values in (("strides", window.strides), ("dilations", window.dilations)):
            if len(values) != 2:
                raise Unsupported(f"with {what} {values}; 2 are needed")
        if len(window.pads) != 4:
            raise Unsupported(f"with pads {window.pads}; 4 are needed")
        if window.kernel != list(kernel):
            raise Unsupported(f"with kernel_shape {window.kernel} and weights {list(kernel)}")
        if min(window.pads) < 0:
            raise Unsupported(f"with negative pads {window.pads}")
        return window.automatic(node.attribute("auto_pad", "NOTSET"))

    def automatic(self, auto_pad: str) -> Window:
        """This window with the padding that `auto_pad` asks for."""
        if auto_pad == "NOTSET":
            return self
        pads = [0, 0, 0, 0]
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            for i, (n, extent, stride) in enumerate(
                zip(self.size, self.extent, self.strides, strict=True)
            ):
                total = max((-(-n // stride) - 1) * stride + extent - n, 0)
                more, less = total - total // 2, total // 2
                pads[i], pads[i + 2] = (less, more) if auto_pad == "SAME_UPPER" else (more, less)
        elif auto_pad != "VALID":
            raise Unsupported(f"with auto_pad {auto_pad}")
        return Window(self.size, self.kernel, self.strides, self.dilations, pads, False)

    @property
    def extent(self) -> list[int]:
        """From the first tap to the last, in elements."""
        return [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]

    def undilated(self) -> Window:
        """This window, if its taps are neighbours."""
        if self.dilations != [1, 1]:
            raise Unsupported(f"with dilations {self.dilations}")
        return self

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
