"""Finding loop nests by the names of their indices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp, YieldOp


def loops(module: ModuleOp) -> list[ForOp]:
    """Every nest, outer ones first."""
    return [op for op in module.walk() if isinstance(op, ForOp)]


def names_of(loop: ForOp) -> list[str]:
    """
    What a person calls the indices of `loop`: their name hints.

    The `_1` that printing adds to tell values apart is not part of the name, so that a directive
    means the main nest and its tail alike.
    """
    return [index.name_hint or f"#{k}" for k, index in enumerate(loop.indices)]


def nests_with(module: ModuleOp, name: str, by: str) -> list[tuple[ForOp, int]]:
    """Every nest that has an index called `name`, and where in the nest; there must be one."""
    found = [(loop, k) for loop in loops(module) for k, n in enumerate(names_of(loop)) if n == name]
    if not found:
        raise PassFailedException(f"{by}: no loop index '{name}'; {known(module)}")
    if len({loop for loop, _ in found}) < len(found):
        raise PassFailedException(f"{by}: a nest has several indices '{name}'; {known(module)}")
    return found


def known(module: ModuleOp) -> str:
    """The nests there are, for a message."""
    nests = dict.fromkeys("(" + ", ".join(names_of(loop)) + ")" for loop in loops(module))
    return f"the nests are {', '.join(nests)}" if nests else "there is no loop"


def is_inside(value: SSAValue, op: Operation) -> bool:
    """Whether `value` is defined in a region of `op`."""
    block = value.owner.parent if isinstance(value.owner, Operation) else value.owner
    while block is not None and (parent := block.parent_op()) is not op:
        block = parent.parent if parent else None
    return block is not None


def body_ops(block: Block) -> list[Operation]:
    """The ops of a loop's body before its `loop.yield`."""
    return [op for op in block.ops if not isinstance(op, YieldOp)]


def yielded(block: Block) -> list[SSAValue]:
    """The carried values at the end of a loop's body."""
    assert block.last_op is not None
    return list(block.last_op.operands)


def move_body(old: ForOp, new: ForOp, values: Mapping[SSAValue, SSAValue]) -> None:
    """Give the body of `old` to `new`, in which `values` stand for the arguments of the old one."""
    for op in list(old.body.block.ops):
        op.detach()
        new.body.block.add_op(op)
    for a, b in values.items():
        a.replace_all_uses_with(b)


def hints_of(values: Iterable[SSAValue]) -> list[str | None]:
    """The names of values, for others that take their place."""
    return [v.name_hint for v in values]
