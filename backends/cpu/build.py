"""A module of functions to one object per function, and to functions that Python can call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from lamina.backends.cpu.compiler import compile_object, identity
from lamina.backends.cpu.engine import Engine
from lamina.backends.cpu.entry import describe_entry
from lamina.backends.cpu.features import missing_features, required_features
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.cpu.model import CPUModel
from lamina.backends.cpu.objects import ObjectCache, key_of
from lamina.backends.machine import Machine
from lamina.errors import LaminaError

Native = Callable[..., None]


def build_objects(
    module: ModuleOp,
    machine: Machine,
    cache: ObjectCache | None = None,
    begin: Callable[[str], None] | None = None,
) -> dict[str, bytes]:
    """The object of every function in `module` that has a body, by symbol; `begin` is told each."""
    made_by = version("lamina"), identity(machine)
    objects: dict[str, bytes] = {}
    for symbol, text in print_module(module, machine).items():
        if begin is not None:
            begin(symbol)
        make = partial(compile_object, text, machine)
        objects[symbol] = make() if cache is None else cache.get(key_of(text, *made_by), make)
    return objects


def build_model(
    module: ModuleOp,
    machine: Machine,
    weights: Mapping[str, np.ndarray],
    *,
    threads: int = 1,
    cache: ObjectCache | None = None,
    begin: Callable[[str], None] | None = None,
    pack: Callable[[], None] = lambda: None,
) -> CPUModel:
    """
    The module's entry and its kernels as a model for the threads that its loops are shared out
    among; `weights` by the keys of its arguments, which `pack` fills.
    """
    with ThreadPoolExecutor(1) as beside:  # NumPy packs while LLVM generates code
        packed = beside.submit(pack)
        objects = build_objects(module, machine, cache, begin)
        packed.result()
    return CPUModel(objects, describe_entry(module, machine, threads), weights)


def native(
    module: ModuleOp, machine: Machine, cache: ObjectCache | None = None
) -> dict[str, Native]:
    """
    Every function of `module`, by symbol, as a function of NumPy arrays in the memrefs' layout.

    Arrays are not checked: this is for compilers and tests, `CompiledModel` is for users.
    """
    if machine.name != "cpu" and (lacking := missing_features(required_features(machine))):
        raise LaminaError(f"this CPU cannot run code for {machine.name}: it lacks {lacking[0]}")
    objects = build_objects(module, machine, cache)
    engine = Engine(objects.values(), objects)
    return {symbol: _native(engine, symbol) for symbol in objects}


def _native(engine: Engine, symbol: str) -> Native:
    functions: dict[int, Native] = {}

    def call(*arrays: np.ndarray) -> None:
        count = len(arrays)
        if count not in functions:
            functions[count] = engine.function(symbol, count)
        functions[count](*(a.ctypes.data for a in arrays))

    return call
