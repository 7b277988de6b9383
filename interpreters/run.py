"""
Execute functions op by op, whatever level their ops are on.

An implementation is a function `(run, op, args) -> results`: `args` are the operands' values, and
`run.block(block, values)` executes a region of the op. Values are NumPy arrays (tensors, vectors;
memrefs are arrays passed by reference), NumPy scalars, and Python ints for `index`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator
from xdsl.utils.exceptions import InterpretationError

from lamina.interpreters.arrays import check_array, unwritten

if TYPE_CHECKING:
    from lamina.weights import WeightStore

Implementation = Callable[["Run", Any, Sequence[Any]], Sequence[Any]]
Step = tuple[Implementation, Operation, tuple[SSAValue, ...], tuple[SSAValue, ...]]


class Unsupported(InterpretationError):
    """The program may be right, but the interpreters cannot run it."""


class BudgetExceeded(InterpretationError):
    """The interpreter was still running when its time was up."""


class Run:
    """One execution of functions of a module, which must not change meanwhile."""

    def __init__(
        self,
        module: ModuleOp,
        implementations: Mapping[type[Operation], Implementation],
        store: WeightStore | None = None,
        limit: float = inf,
    ):
        self.store = store
        self.functions = {op.sym_name.data: op for op in module.ops if isinstance(op, func.FuncOp)}
        self._implementations = implementations
        self._limit, self._deadline = limit, time.perf_counter() + limit
        self._values: dict[SSAValue, Any] = {}  # of the function being executed
        self._prepared: dict[Operation, Any] = {}
        self._steps: dict[Block, tuple[list[Step], tuple[SSAValue, ...]]] = {}

    def call_with(
        self, name: str, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray] | None
    ) -> list[np.ndarray]:
        """Call `name` from outside: supply outputs, weights and arena; the outputs are returned."""
        f = self.function(name)
        types = f.function_type.inputs.data
        roles = [role_of(a.data) for a in f.arg_attrs.data] if f.arg_attrs else [""] * len(types)
        given, free, made = iter(inputs), iter(outputs or ()), []
        args: list[Any] = []
        for i, (type, role) in enumerate(zip(types, roles, strict=True)):
            what = f"argument {i} of @{name}"
            if role.startswith("weight "):
                array = self._weight(role.removeprefix("weight "), what)
            elif role in ("arena", "scratch"):
                array = unwritten(type)
            elif role == "output" or (array := next(given, None)) is None:
                if not isinstance(type, MemRefType):
                    raise InterpretationError(f"{what} needs {type}, got {len(inputs)} inputs")
                array = next(free, None)
                array = unwritten(type) if array is None else array
                made.append(array)
            args.append(check_array(array, type, what))
        if left := len([*given, *free]):
            raise InterpretationError(f"@{name} was given {left} more arrays than it takes")
        results = self.call(name, args)
        return [np.asarray(r) for r in results] if f.function_type.outputs.data else made

    def call(self, name: str, args: Sequence[Any]) -> Sequence[Any]:
        """Execute function `name` on exactly its arguments."""
        f = self.function(name)
        if f.is_declaration:
            raise Unsupported(f"@{name} is only declared here; it has no body to run")
        outer, self._values = self._values, {}
        try:
            with np.errstate(
                all="ignore"
            ):  # overflow, NaN and division by zero have defined results
                return self.block(f.body.block, args)
        finally:
            self._values = outer

    def block(self, block: Block, args: Sequence[Any]) -> tuple[Any, ...]:
        """Execute the ops of `block`; the values its terminator hands on."""
        if time.perf_counter() > self._deadline:
            raise BudgetExceeded(f"interpreting took longer than {self._limit:g} s")
        steps, last = self._steps.get(block) or self._prepare(block)
        values = self._values
        values.update(zip(block.args, args, strict=True))
        for how, op, operands, results in steps:
            got = how(self, op, [values[v] for v in operands])
            if len(results) == 1:
                values[results[0]] = got[0]
            else:
                values.update(zip(results, got, strict=True))
        return tuple([values[v] for v in last])

    def once(self, op: Operation, prepare: Callable[[], Any]) -> Any:
        """What `prepare` returned the first time that `op` was executed in this run."""
        if op not in self._prepared:
            self._prepared[op] = prepare()
        return self._prepared[op]

    def function(self, name: str) -> func.FuncOp:
        """The function called `name`."""
        if name not in self.functions:
            raise InterpretationError(f"no function @{name}; there is {_names(self.functions)}")
        return self.functions[name]

    def _prepare(self, block: Block) -> tuple[list[Step], tuple[SSAValue, ...]]:
        """Look up, once, how each op of `block` is executed."""
        steps: list[Step] = []
        last: tuple[SSAValue, ...] = ()
        for op in block.ops:
            if op.has_trait(IsTerminator):
                last = tuple(op.operands)
                break
            how = self._implementations.get(type(op))
            if how is None:
                raise Unsupported(f"no interpreter for {op.name}")
            steps.append((how, op, tuple(op.operands), tuple(op.results)))
        return self._steps.setdefault(block, (steps, last))

    def _weight(self, key: str, what: str) -> np.ndarray:
        if self.store is None:
            raise Unsupported(f"{what} is weight {key}, but there is no weight store")
        return self.store.get(key)


def role_of(attributes: Mapping[str, Any]) -> str:
    """
    What an argument is for, by the attributes it has: input or output of an entry, "weight KEY",
    arena or scratch, which are memory to work in; or "", an argument like any other.
    """
    for role in ("input", "output", "arena", "scratch"):
        if f"lamina.{role}" in attributes:
            return role
    key = attributes.get("lamina.weight")
    return f"weight {key.data}" if key else ""


def _names(functions: Mapping[str, object]) -> str:
    return ", ".join(f"@{n}" for n in functions) or "none"
