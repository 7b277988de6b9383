"""
Reference interpreters: what a program on each level means, in NumPy. Correct first, fast second.

A file of this folder that defines `IMPLEMENTATIONS` (op class -> implementation, see `run.py`)
takes part; adding the file is all it takes. `COSTS`, where a file has it, maps an op class to a
function from estimate and op to seconds, for ops whose time does not follow from the size of their
results (see `cost.py`).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from math import inf
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from lamina.interpreters.cost import Cost, Estimate
from lamina.interpreters.run import BudgetExceeded, Implementation, Run, Unsupported

if TYPE_CHECKING:
    import numpy as np

    from lamina.weights import WeightStore

if __name__ != "lamina.interpreters":
    raise ImportError(f"import 'lamina.interpreters', not '{__name__}'")

__all__ = [
    "BudgetExceeded",
    "Cost",
    "Implementation",
    "Run",
    "Unsupported",
    "call",
    "estimate",
    "implementations",
]


@cache
def implementations() -> Mapping[type[Operation], Implementation]:
    """How to execute each op that a file of this folder knows."""
    return cast(Mapping[type[Operation], Implementation], _collect("IMPLEMENTATIONS"))


@cache
def _costs() -> Mapping[type[Operation], Cost]:
    return cast(Mapping[type[Operation], Cost], _collect("COSTS"))


def _collect(table: str) -> Mapping[type[Operation], object]:
    found: dict[type[Operation], object] = {}
    for module in iter_modules(__path__, f"{__name__}."):
        for op, how in getattr(import_module(module.name), table, {}).items():
            if op in found:
                raise ImportError(f"{module.name} defines {op.name} a second time")
            found[op] = how
    return MappingProxyType(found)


def call(
    module: ModuleOp,
    name: str,
    inputs: Sequence["np.ndarray"],
    outputs: Sequence["np.ndarray"] | None = None,
    store: "WeightStore | None" = None,
    *,
    limit: float = inf,
    extra: Mapping[type[Operation], Implementation] | None = None,
) -> list["np.ndarray"]:
    """
    Run function `name` of `module` and return what it computes.

    On tensors: `inputs` are the arguments, the results are returned. On memrefs: `inputs` are the
    leading arguments and `outputs` the trailing ones, which are returned; without `outputs` they
    are allocated, full of NaN. Arguments marked as weights come from `store`, an arena is
    allocated. Memrefs are passed by reference: a function that writes an input changes the
    caller's array. `limit`: seconds, after which `BudgetExceeded` is raised. `extra`: more
    implementations.
    """
    run = Run(module, {**implementations(), **(extra or {})}, store, limit)
    return run.call_with(name, inputs, outputs)


def estimate(module: ModuleOp, name: str) -> float:
    """About how many seconds `call` of function `name` takes on a machine like a laptop of 2024."""
    return Estimate(module, _costs()).function(name)
