"""The shapes of what the user gives: as the model says, or as --shape does where that is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from onnx import ValueInfoProto

from lamina.frontends.onnx.model import Model

LARGEST = 1 << 44
"""elements of an input; no computer has more memory than that"""


def sizes(info: ValueInfoProto) -> list[int | str] | None:
    """The shape of a tensor: a number or, where it is open, a name or `?` per dimension."""
    if not info.type.tensor_type.HasField("shape"):
        return None
    return [
        d.dim_value if d.dim_value > 0 else d.dim_param or "?"
        for d in info.type.tensor_type.shape.dim
    ]


def fixed(info: ValueInfoProto, named: Mapping[str, int] | None = None) -> list[int] | None:
    """The shape of a tensor, if every dimension is a number or has one among `named`."""
    size = sizes(info)
    found = [(named or {}).get(n, n) if isinstance(n, str) else n for n in size or ()]
    numbers = [n for n in found if isinstance(n, int)]
    return numbers if size is not None and len(numbers) == len(size) else None


def input_shapes(model: Model, given: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """
    The shape of each input, for the shapes `given`; LaminaError if one is missing or wrong.

    A dimension with a name is the same wherever the name stands: given once, it is known.
    """
    names = [v.name for v in model.inputs]
    if unknown := sorted(set(given) - set(names)):
        inputs = ", ".join(names) or "none"
        raise model.error(f"no input '{unknown[0]}'; inputs are {inputs}")
    named = _named(model, given)
    found: dict[str, Sequence[int]] = {}
    for info in model.inputs:
        size = given[info.name] if info.name in given else fixed(info, named)
        if size is None:
            raise model.error(_open(info))
        if prod(size) > LARGEST:
            raise model.error(f"input '{info.name}' cannot be {show(size)}: no memory holds that")
        found[info.name] = size
    return found


def _named(model: Model, given: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """The dimensions with names that `given` makes numbers of."""
    found: dict[str, tuple[int, str]] = {}
    for info in model.inputs:
        if info.name not in given:
            continue
        shape, size = given[info.name], sizes(info)
        if min(shape, default=1) < 1 or (size is not None and len(size) != len(shape)):
            is_now = "?" if size is None else show(size)
            raise model.error(f"input '{info.name}' is {is_now}, it cannot be {show(shape)}")
        for name, n in zip(size or (), shape, strict=False):
            if not isinstance(name, str) or name == "?":
                continue
            other, where = found.setdefault(name, (n, info.name))
            if other != n:
                raise model.error(
                    f"dimension '{name}' is {other} in input '{where}' and {n} in input "
                    f"'{info.name}'; it needs one number"
                )
    return {name: n for name, (n, _) in found.items()}


def _open(info: ValueInfoProto) -> str:
    size = sizes(info)
    if size is None:
        return f"input '{info.name}' has no shape; set it, as in --shape {info.name}=1x3x224x224"
    example = show([n if isinstance(n, int) else 1 for n in size])
    return (
        f"input '{info.name}' is {show(size)}, with an open dimension "
        f"'{next(n for n in size if isinstance(n, str))}'; "
        f"set its shape, as in --shape {info.name}={example}"
    )


def show(size: Sequence[int | str]) -> str:
    """`1x3x224x224`"""
    return "x".join(map(str, size)) or "a scalar"
