"""Running a function as machine code: the rest of the default pipeline, LLVM, a child process."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from lamina.context import LaminaContext
from lamina.interpreters.arrays import unwritten
from lamina.tools.validate.signature import Conversion, Incompatible, Signature

LIMIT = 120.0
"""seconds that native code may run: a faulty one may never end"""


class NotNative(Exception):
    """A function cannot be made machine code; the message says why."""


class Crashed(Exception):
    """Machine code did not come to its end; the message says how."""


def functions_of(module: ModuleOp) -> dict[str, func.FuncOp]:
    """The functions of a module by name."""
    return {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}


def reached(module: ModuleOp, name: str) -> list[str]:
    """`name` and every function that it calls, directly or not."""
    functions, found = functions_of(module), [name]
    for caller in found:  # grows
        f = functions.get(caller)
        for op in f.walk() if f is not None else ():
            if isinstance(op, func.CallOp) and (callee := op.callee.string_value()) not in found:
                found.append(callee)
    return found


def remaining_passes(module: ModuleOp) -> Sequence[ModulePass]:
    """The part of the default pipeline that `module` has not gone through."""
    from lamina import steps  # takes 0.3 s to import, and is needed for large functions only

    return steps.remaining(module, "cpu")


def extracted(module: ModuleOp, name: str) -> ModuleOp:
    """A module of its own for function `name` and what it calls."""
    names, functions = reached(module, name), functions_of(module)
    return ModuleOp([functions[n].clone() for n in names if n in functions])


class NativeFunction:
    """Function `name` of `module` as machine code of this computer."""

    def __init__(self, ctx: LaminaContext, module: ModuleOp, name: str):
        piece = extracted(module, name)
        self.name, self.ctx = name, ctx.clone()
        self.signature = Signature.of(functions_of(piece)[name])
        self.passes = [p.name for p in remaining_passes(piece)]
        try:
            for p in remaining_passes(piece):
                p.apply(self.ctx, piece)
            piece.verify()
            self.lowered = functions_of(piece)[name]
            self.final = Signature.of(self.lowered)
            self.conversion = Conversion(self.signature, self.final)
            self.link(piece)
        except Incompatible as e:
            raise NotNative(f"compiling @{name} changed what it takes: {e}") from e
        except Exception as e:  # whatever a pass or LLVM has against it is the reason
            raise NotNative(f"compiling @{name}: {e or type(e).__name__}".splitlines()[0]) from e

    def link(self, piece: ModuleOp) -> None:
        """Machine code for the vectors and loops in `piece`."""
        from lamina.backends.cpu.compiler import compile_object  # loads LLVM
        from lamina.backends.cpu.engine import Engine
        from lamina.backends.cpu.llvm_ir import print_module
        from lamina.backends.machine import describe

        machine = describe("cpu")
        texts = print_module(piece, machine)
        objects = [compile_object(text, machine) for text in texts.values()]
        self.engine = Engine(objects, texts)

    def __call__(self, slots: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What the function computes, as the function before lowering would have given it."""
        arrays = [np.array(x, order="C") for x in self.conversion.slots(slots)]
        given = iter(arrays)
        every = [
            next(given) if role in ("", "input", "output") else self.memory(role, type)
            for role, type in zip(
                self.final.roles, self.lowered.function_type.inputs.data, strict=True
            )
        ]
        pointers = [x.ctypes.data for x in every]
        if "lamina.entry" in self.lowered.attributes:
            table = (ctypes.c_void_p * len(pointers))(*pointers)
            call, pointers = self.engine.function(self.name, 1), [ctypes.addressof(table)]
        else:
            call = self.engine.function(self.name, len(pointers))
        in_child(lambda: call(*pointers), arrays)
        return self.conversion.back(arrays)

    def memory(self, role: str, type: object) -> np.ndarray:
        """A weight, or memory to work in, at a multiple of 64 bytes."""
        weight = role.startswith("weight ")
        content = self.ctx.weights.get(role[7:]) if weight else unwritten(type)  # type: ignore[arg-type]
        room = np.empty(content.nbytes + 64, np.uint8)
        start = -room.ctypes.data % 64
        place = room[start : start + content.nbytes].view(content.dtype).reshape(content.shape)
        place[...] = content
        return place


def in_child(run: Callable[[], None], arrays: Sequence[np.ndarray]) -> None:
    """
    Call `run`, which may write `arrays`, in a process of its own: code under test may write where
    it must not, or never end.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrays.npz"
        child = os.fork()
        if child == 0:
            try:
                faulthandler.disable()  # a crash is reported by the parent
                run()
                np.savez(file, *arrays)
            finally:
                os._exit(0)
        try:
            status = _wait(child)
        except BaseException:  # also an interruption: nothing may go on running
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        if os.WIFSIGNALED(status):
            name = signal.Signals(os.WTERMSIG(status)).name
            raise Crashed(f"its machine code was ended by {name}")
        with np.load(file) as found:
            for k, array in enumerate(arrays):
                array[...] = found[f"arr_{k}"]


def _wait(child: int) -> int:
    deadline = time.monotonic() + LIMIT
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if time.monotonic() > deadline:
            raise Crashed(f"its machine code ran longer than {LIMIT:g} s")
        time.sleep(0.001)
