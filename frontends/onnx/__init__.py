"""
Read ONNX models into the graph dialect.

One file per topic holds the operators: `OPERATORS` maps an operator's name to a function that takes
the node and builds graph ops. Adding a function to a table is all it takes to support an operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

if TYPE_CHECKING:
    import onnx

    from lamina.weights import WeightStore

if __name__ != "lamina.frontends.onnx":
    raise ImportError(f"import 'lamina.frontends.onnx', not '{__name__}'")


def import_model(
    model: str | Path | onnx.ModelProto,
    store: WeightStore,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> ModuleOp:
    """
    The model as `func.func @main` on graph ops; its weights go to `store`.

    `shapes` sets the shapes of inputs by name, which is needed where the model leaves them open. A
    model that cannot be read, is not valid or is not supported is a LaminaError of one line.
    """
    from lamina.frontends.onnx.importer import run  # onnx takes 0.15 s to import

    return run(model, store, shapes or {})
