"""Make kernels that differ only in numbers one kernel, which is given the numbers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from io import StringIO
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.printer import Printer
from xdsl.rewriter import Rewriter

from lamina.context import weights_of
from lamina.dialects.graph import AddOp, ConstantOp, FmaOp, MulOp, QuantizeOp, ScaledOp, SubOp
from lamina.dialects.graph.constants import key_of
from lamina.passes.graph._numbers import number_in
from lamina.passes.graph.outline_kernels import is_network
from lamina.weights import WeightStore

PLAIN = (0, 1, -1)
"""numbers with which there is nothing to compute: they stay written out"""


def is_factor_or_term(value: SSAValue) -> bool:
    """
    Whether nothing is done with `value` but arithmetic that costs the same for any number. A
    quotient by a number that is written out costs less.
    """
    return all(_adds_or_multiplies(use.operation, value) for use in value.uses)


def _adds_or_multiplies(op: Operation, value: SSAValue) -> bool:
    if isinstance(op, QuantizeOp):
        return op.zero is value
    return isinstance(op, AddOp | SubOp | MulOp | FmaOp) or (
        isinstance(op, ScaledOp) and op.x is not value
    )


def numbers_of(kernel: func.FuncOp) -> list[ConstantOp]:
    """The constants of one element in `kernel` that it might as well be given."""
    return [
        op
        for op in kernel.body.block.ops
        if isinstance(op, ConstantOp)
        and number_in(op.result) not in (None, *PLAIN)
        and is_factor_or_term(op.result)
    ]


def give(kernel: func.FuncOp, numbers: Iterable[ConstantOp]) -> None:
    """Make arguments of these constants of `kernel`, behind the others."""
    block = kernel.body.block
    for op in numbers:
        arg = block.insert_arg(op.result.type, len(block.args))
        arg.name_hint = "n"
        op.result.replace_all_uses_with(arg)
        Rewriter.erase_op(op)
    kernel.update_function_type()


def frame_of(kernel: func.FuncOp) -> tuple[Attribute | str, ...]:
    """What kernels have in common that differ only in numbers, and most others have not."""
    return kernel.function_type, *(op.name for op in kernel.body.block.ops)


def text_of(kernel: func.FuncOp) -> str:
    """The text of `kernel`, all of its numbers taken to be given."""
    general = kernel.clone()
    give(general, numbers_of(general))
    out = StringIO()
    Printer(out).print_region(general.body)
    return out.getvalue()


def groups(
    kernels: Iterable[func.FuncOp], key: Callable[[func.FuncOp], Hashable]
) -> list[list[func.FuncOp]]:
    """The kernels that have equal keys, where several have."""
    found: dict[Hashable, list[func.FuncOp]] = {}
    for kernel in kernels:
        found.setdefault(key(kernel), []).append(kernel)
    return [group for group in found.values() if len(group) > 1]


def calls_of(module: ModuleOp) -> dict[str, list[func.CallOp]]:
    """The calls of each function, by its name."""
    found: dict[str, list[func.CallOp]] = {}
    for op in module.walk():
        if isinstance(op, func.CallOp):
            found.setdefault(op.callee.string_value(), []).append(op)
    return found


def pass_on(
    call: func.CallOp, name: str, numbers: Iterable[ConstantOp], store: WeightStore
) -> None:
    """Let `call` be one of kernel `name`, which is given the numbers too."""
    given = [ConstantOp(key_of(op, store), op.result.type) for op in numbers]
    operands = [*call.operands, *(op.result for op in given)]
    new = func.CallOp(name, operands, call.result_types)
    new.attributes = dict(call.attributes)
    Rewriter.replace_op(call, [*given, new], new.results)


class ShareKernelsPass(ModulePass):
    """
    Let kernels that differ only in factors and terms of one element be one, which is given these.

    func.func private @mul_0(%x) { graph.mul %x, 0.5 }, func.func private @mul_1(%x) { .. 0.25 }
    ->  func.func private @mul_0(%x, %n) { graph.mul %x, %n }

    Scales and zero points count as such. A number that all of them have stays written out, as do
    0, 1 and -1, and a kernel that is like no other stays as it is.
    """

    name = "share-kernels"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = [f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration]
        numbered = [f for f in functions if not is_network(f) and numbers_of(f)]
        calls = calls_of(op)
        for alike in groups(numbered, frame_of):
            for same in groups(alike, text_of):
                self.share(same, calls, weights_of(ctx))

    def share(
        self,
        kernels: Sequence[func.FuncOp],
        calls: dict[str, list[func.CallOp]],
        store: WeightStore,
    ) -> None:
        """Let all calls of these kernels be calls of the first."""
        rows = [numbers_of(kernel) for kernel in kernels]
        differ = [len({str(op.value) for op in column}) > 1 for column in zip(*rows, strict=True)]
        name = kernels[0].sym_name.data
        for kernel, row in zip(kernels, rows, strict=True):
            given = [op for op, differs in zip(row, differ, strict=True) if differs]
            for call in calls.get(kernel.sym_name.data, []):
                pass_on(call, name, given, store)
        give(kernels[0], [op for op, differs in zip(rows[0], differ, strict=True) if differs])
        for kernel in kernels[1:]:
            Rewriter.erase_op(kernel)
