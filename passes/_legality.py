"""The promise a lowering makes about what it leaves behind."""

from collections import Counter

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Dialect, Operation
from xdsl.utils.exceptions import PassFailedException


def require_lowered(module: ModuleOp, dialect: Dialect, by: str) -> None:
    """Fail, naming the first op of `dialect` that pass `by` left in `module`."""
    left = [op for op in module.walk() if op.name.startswith(f"{dialect.name}.")]
    if left:
        counts = Counter(op.name for op in left)
        every = ", ".join(f"{n} {name}" for name, n in counts.items())
        where = _function(left[0])
        raise PassFailedException(
            f"{by}: no lowering for {left[0].name} in {where} (left: {every})"
        )


def _function(op: Operation) -> str:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return f"@{parent.sym_name.data}" if parent is not None else "the module"
