"""What the schedule directives share: finding the ops they are meant for, and refusing clearly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import RESERVED
from lamina.dialects.te import Axis, ComputeOp


def kernel_of(op: Operation) -> str:
    """The name of the function that `op` is in, or nothing if it is in none."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, func.FuncOp):
        parent = parent.parent_op()
    return parent.sym_name.data if parent else ""


def computes(module: Operation, function: str | None = None) -> list[ComputeOp]:
    """Every `te.compute` in an op such as the module, or of one of its functions."""
    found = [op for op in module.walk() if isinstance(op, ComputeOp)]
    return [op for op in found if function is None or kernel_of(op) == function]


def find_axis(op: ComputeOp, name: str) -> Axis:
    """The axis of this name."""
    for a in op.axes.data:
        if a.name == name:
            return a
    raise PassFailedException(f"no axis '{name}' in {op.axes}")


def check_new_names(op: ComputeOp, names: Sequence[str], replaced: str) -> None:
    """Refuse names that `op` already uses for something else than the axis `replaced`."""
    taken = (op.ranges.keys() | {n.data for n in op.outer.data}) - {replaced}
    for i, name in enumerate(names):
        if name in taken or name in names[:i]:
            what = "the name of an integer" if name in op.binders else f"an axis of {op.axes}"
            raise PassFailedException(f"'{name}' is already {what}")
        if not name.isidentifier() or name in RESERVED:
            raise PassFailedException(f"'{name}' cannot name an axis: need a word, no keyword")


def carry_out(what: str, op: ComputeOp, directive: Callable[..., None], *words: object) -> None:
    """Apply `directive` to the op and the words; say which one and where if it is refused."""
    kernel = kernel_of(op)  # now: afterwards the op may be gone
    try:
        directive(op, *words)
    except PassFailedException as refusal:
        where = f" (@{kernel})" if kernel else ""
        raise PassFailedException(f"{what}: {refusal}{where}") from None


def on_every_op(
    module: ModuleOp,
    what: str,
    axes: Sequence[str],
    function: str | None,
    directive: Callable[..., None],
    *words: object,
) -> None:
    """Apply a directive to every op that has these axes; there must be one."""
    ops = computes(module, function)
    meant = [op for op in ops if set(axes) <= op.extents.keys()]
    if not meant:
        there = "; ".join(dict.fromkeys(str(op.axes) for op in ops)) or "no te.compute"
        place = f"in @{function}" if function else "in the module"
        names = ", ".join(f"'{a}'" for a in axes)
        raise PassFailedException(f"{what}: no te.compute {place} has axes {names}: found {there}")
    for op in meant:
        carry_out(what, op, directive, *words)
