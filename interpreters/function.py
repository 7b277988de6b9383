"""Function calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from xdsl.dialects import func
from xdsl.ir import Operation

from lamina.interpreters.run import Implementation, Run


def _call(run: Run, op: func.CallOp, args: Sequence[Any]) -> Sequence[Any]:
    return run.call(op.callee.string_value(), args)


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {func.CallOp: _call}
