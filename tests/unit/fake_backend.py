"""A back end from outside whose device cannot do much, to see what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from lamina.backends.cpu.artifact import Artifact
from lamina.backends.interface import Backend
from lamina.backends.machine import Machine, UnknownTarget, describe
from lamina.backends.model import CompiledModel
from lamina.context import LaminaContext
from lamina.dialects.graph import DenseOp, MaxPool2dOp, SoftmaxOp
from lamina.options import Options


class FakeBackend(Backend):
    """`fake`, which takes and waits no time, and `fake:old`, which does not know a window."""

    name = "fake"

    def machine(self, target: str) -> Machine:
        if target not in ("fake", "fake:old"):
            raise UnknownTarget(f"unknown target '{target}'; did you mean fake?")
        return replace(describe("cpu:haswell"), name=target, wait=0.0)

    def claims(self, op: Operation, machine: Machine) -> str | None:
        if isinstance(op, SoftmaxOp | DenseOp):
            return f"{op.name} needs a unit for sums, the fake device has none"
        old = machine.name == "fake:old" and isinstance(op, MaxPool2dOp)
        return "windows came later" if old else None

    def seconds(self, op: Operation, machine: Machine) -> float:
        return 0.0

    def passes(self, machine: Machine, options: Options) -> tuple[ModulePass, ...]:
        return ()

    def compile(
        self,
        ctx: LaminaContext,
        module: ModuleOp,
        machine: Machine,
        options: Options,
        *,
        cache: bool,
        begin: Callable[[str], None],
    ) -> CompiledModel:
        raise AssertionError("nothing is compiled for the fake device")

    def load(self, artifact: Artifact, threads: int | None) -> CompiledModel:
        raise AssertionError("nothing is loaded for the fake device")


FAKE = FakeBackend()
