"""A pass from outside the tree, as a user would write one, and some that go wrong."""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException


def functions(op: ModuleOp) -> list[FuncOp]:
    return [f for f in op.ops if isinstance(f, FuncOp)]


@dataclass(frozen=True)
class RenamePass(ModulePass):
    """Rename every function to `to`."""

    name = "rename"
    to: str = "renamed"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in functions(op):
            f.sym_name = StringAttr(self.to)


class RefusePass(ModulePass):
    """Fail after a change that must not be seen."""

    name = "refuse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        RenamePass().apply(ctx, op)
        raise PassFailedException("refuse: no function is good enough")


class CrashPass(ModulePass):
    """Raise what is no message for a user."""

    name = "crash"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        RenamePass().apply(ctx, op)
        raise KeyError("lost")


class BreakPass(ModulePass):
    """Leave IR that does not verify."""

    name = "break"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in functions(op):
            assert f.body.block.last_op
            f.body.block.last_op.detach()
