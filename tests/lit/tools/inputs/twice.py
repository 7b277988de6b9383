"""A dialect from outside the tree, what its op means, and a pass that lowers it."""

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from lamina.dialects.graph import AddOp


@irdl_op_definition
class TwiceOp(IRDLOperation):
    """2 * x."""

    name = "mine.twice"

    x = operand_def(TensorType)
    y = result_def(TensorType)

    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"


Mine = Dialect("mine", [TwiceOp])

IMPLEMENTATIONS = {TwiceOp: lambda run, op, args: (2 * args[0],)}


class LowerTwicePass(ModulePass):
    """twice(x) -> add(x, x)"""

    name = "lower-twice"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for twice in [o for o in op.walk() if isinstance(o, TwiceOp)]:
            Rewriter.replace_op(twice, AddOp(twice.x, twice.x))
