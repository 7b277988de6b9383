"""What a function that imports one operator sees of its node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import onnx
from xdsl.ir import Operation, SSAValue

from lamina.dialects.graph import shape

if TYPE_CHECKING:
    from lamina.frontends.onnx.importer import Importer

Value = SSAValue | np.ndarray
"""a tensor computed at run time, or an array known now"""

T = TypeVar("T")


class Unsupported(Exception):
    """Why a node cannot be imported; words to follow the operator: `with dilations [2, 2]`."""


class Node:
    """One node of an ONNX graph: its inputs and attributes, and the place where ops for it go."""

    def __init__(self, proto: onnx.NodeProto, importer: Importer) -> None:
        self.proto = proto
        self.opset = importer.opset
        self._importer = importer
        self._attributes = {a.name: a for a in proto.attribute}
        self._unread = dict.fromkeys(self._attributes)

    @property
    def inputs(self) -> int:
        """Number of inputs, counting empty ones."""
        return len(self.proto.input)

    def has(self, i: int) -> bool:
        """Whether input `i` is given."""
        return i < len(self.proto.input) and self.proto.input[i] != ""

    def value(self, i: int) -> Value:
        """Input `i` as it is."""
        return self._importer.value(self.name_of(i))

    def tensor(self, i: int) -> SSAValue:
        """Input `i` as an operand; a known array becomes a constant."""
        return self._importer.operand(self.name_of(i))

    def constant(self, i: int, what: str) -> np.ndarray:
        """Input `i`, which must be known now."""
        value = self.value(i)
        if isinstance(value, SSAValue):
            raise Unsupported(f"with {what} that are computed at run time")
        return value

    def shape(self, i: int) -> tuple[int, ...]:
        """The shape of input `i`."""
        value = self.value(i)
        return shape(value) if isinstance(value, SSAValue) else value.shape

    def attribute(self, name: str, default: T) -> T:
        """The value of an attribute, which is of the type of `default`."""
        if name not in self._attributes:
            return default
        self._unread.pop(name, None)
        value = onnx.helper.get_attribute_value(self._attributes[name])
        return cast(T, value.decode() if isinstance(value, bytes) else value)

    def optional(self, name: str) -> Any:
        """The value of an attribute, or None if it is not given."""
        return self.attribute(name, None)

    def ignore(self, *names: str) -> None:
        """These attributes do not change what the node computes."""
        for name in names:
            self._unread.pop(name, None)

    def require(self, name: str, value: object) -> None:
        """Refuse any value of an attribute but this, its default."""
        if (got := self.attribute(name, value)) != value:
            raise Unsupported(f"with {name} {got}")

    def check_attributes(self) -> None:
        """Refuse attributes that were given and that nobody looked at."""
        if self._unread:
            raise Unsupported(f"with attribute {', '.join(map(str, self._unread))}")

    def axis(self, default: int, rank: int) -> int:
        """Attribute `axis`, counted from the front."""
        axis = self.attribute("axis", default)
        if not -rank <= axis < max(rank, 1):
            raise Unsupported(f"with axis {axis} of {rank} dimensions")
        return axis + rank if axis < 0 else axis

    def axes(self, since: int) -> list[int] | None:
        """The axes: an attribute, and from opset `since` on input 1; None if not given."""
        if self.opset < since:
            return self.optional("axes")
        return self.constant(1, "axes").tolist() if self.has(1) else None

    def decode(self, tensor: onnx.TensorProto) -> np.ndarray:
        """The numbers in a tensor of the model."""
        return self._importer.model.array(tensor)

    def add(self, op: Operation) -> SSAValue:
        """Append `op` to the function; its result."""
        return self._importer.add(op)

    def known(self, array: np.ndarray, source: str | None = None) -> SSAValue:
        """A constant that holds `array`."""
        return self._importer.constant(array, source)

    def name_of(self, i: int) -> str:
        """The name of input `i` in the model."""
        if not self.has(i):
            raise Unsupported(f"without input {i}")
        return self.proto.input[i]


def whole(values: Sequence[int] | None, default: Sequence[int]) -> list[int]:
    """`values`, or `default` if there are none."""
    return list(default if values is None else values)
