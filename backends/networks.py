"""The manifest of a network that stays on tensors, for back ends that take it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute
from xdsl.utils.exceptions import DiagnosticException
from xdsl.utils.hints import isa

from lamina.backends.cpu.entry import dtype_of
from lamina.backends.cpu.manifest import Argument, Manifest
from lamina.backends.machine import Machine
from lamina.dialects.graph import ConstantOp, layout_of
from lamina.weights import WeightStore


def describe_network(
    module: ModuleOp, machine: Machine, weights: Mapping[str, np.ndarray]
) -> Manifest:
    """What the one function of `module` takes and gives, each tensor as its layout stores it."""
    functions = [f for f in module.ops if isinstance(f, func.FuncOp)]
    if len(functions) != 1:
        raise DiagnosticException(f"a network is one function, found {len(functions)}")
    (f,) = functions
    given = [a.data.get("lamina.input") for a in f.arg_attrs or ()]
    names = [n.data if isinstance(n, StringAttr) else "" for n in given]
    outputs = f.attributes.get("lamina.outputs")
    made = [n.data for n in outputs] if isa(outputs, ArrayAttr[StringAttr]) else []
    type = f.function_type
    arguments = [
        *(_argument("input", n, t) for n, t in zip(names, type.inputs, strict=True)),
        *(_argument("output", n, t) for n, t in zip(made, type.outputs, strict=True)),
        *(Argument("weight", key, w.shape, w.dtype.name) for key, w in weights.items()),
    ]
    return Manifest(
        entry=f.sym_name.data,
        target=machine.name,
        cpu="",
        triple="",
        features=(),
        arguments=tuple(arguments),
        calls=(),
        lamina=version("lamina"),
    )


def weights_of(module: ModuleOp, store: WeightStore) -> dict[str, np.ndarray]:
    """The weights that the constants of a network name, by their keys."""
    values = [op.value for op in module.walk() if isinstance(op, ConstantOp)]
    return {v.data: store.get(v.data) for v in values if isinstance(v, StringAttr)}


def _argument(role: str, name: str, type: Attribute) -> Argument:
    if not isa(type, TensorType):
        raise DiagnosticException(f"a network is on tensors, got {type}")
    shape = layout_of(type).apply_shape(type.get_shape())
    return Argument(role, name, tuple(shape), dtype_of(type.element_type))
