"""Reading `.mlir` files and the weights beside them; errors are one line with a position."""

from __future__ import annotations

from pathlib import Path

from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError, VerifyException

from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.universe import dialects
from lamina.weights import WeightStore


def new_context(weights: WeightStore | None = None) -> LaminaContext:
    """A context that knows the dialects of xDSL and of Lamina, each imported on first use."""
    ctx = LaminaContext(weights=weights if weights is not None else WeightStore())
    for name, factory in {**get_all_dialects(), **dialects()}.items():
        ctx.register_dialect(name, factory)
    return ctx


def read_ir(path: Path, ctx: LaminaContext) -> ModuleOp:
    """The verified module in `path`; weights come from the `.safetensors` beside it, if any."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise LaminaError(f"{path}: is not IR text: {e.reason} at byte {e.start}") from e
    weights = path.with_suffix(".safetensors")
    if weights.is_file():
        ctx.weights.load(weights)
    parser = _LocatingParser(ctx, text, str(path))
    try:
        module = parser.parse_module()
    except ParseError as e:
        raise LaminaError(f"{e.span.get_location()}: {e.msg}") from e
    except VerifyException as e:  # an attribute that is wrong in itself
        raise LaminaError(f"{parser.here()}: {e}") from e
    except RecursionError as e:
        raise LaminaError(f"{path}: is nested too deeply to be read") from e
    for op in module.walk():
        try:
            op.verify(verify_nested_ops=False)
        except VerifyException as e:
            raise LaminaError(f"{parser.position_of(op)}: '{op.name}': {e}") from e
    return module


class _LocatingParser(Parser):
    """A parser that remembers where each operation begins."""

    def __init__(self, ctx: Context, text: str, name: str) -> None:
        super().__init__(ctx, text, name)
        self._name, self._text = name, text
        self._starts: dict[Operation, int] = {}

    def parse_operation(self) -> Operation:
        start = self.pos
        op = super().parse_operation()
        self._starts[op] = start
        return op

    def here(self) -> str:
        """Where the parser stopped, as file:line:column."""
        return self._at(self.pos)

    def position_of(self, op: Operation) -> str:
        """Where `op` begins, as file:line:column."""
        return self._at(self._starts.get(op, 0))

    def _at(self, position: int) -> str:
        line_start = self._text.rfind("\n", 0, position) + 1
        line = self._text.count("\n", 0, position) + 1
        return f"{self._name}:{line}:{position - line_start + 1}"
