"""What Intel's compiler makes of whole networks for Gen9: nothing spilled, busy with products."""

import os
from collections.abc import Iterator
from shutil import which

import pytest
from xdsl.dialects.func import FuncOp

from benchmarks.models import build
from lamina import steps
from lamina.backends.opencl.ocloc import chip
from lamina.dialects.te import ComputeOp
from lamina.options import Options
from lamina.tools._inspection import Inspected, inspect

pytestmark = pytest.mark.skipif(
    which(os.environ.get("LAMINA_OCLOC", "ocloc")) is None, reason="needs ocloc"
)
APOLLO_LAKE = chip("bxt")


def windows(name: str) -> Iterator[tuple[Inspected, dict[str, int]]]:
    """The kernels that slide windows with weights, and the reduction of each."""
    model = build(name)
    rows = list(inspect(model, APOLLO_LAKE, {}))
    assert [r for r in rows if r.error or r.spill] == []
    _, module = steps.lowered(model, APOLLO_LAKE.target, "te", Options(1))
    reductions: dict[str, dict[str, int]] = {}
    for f in (op for op in module.ops if isinstance(op, FuncOp)):
        for op in f.walk():
            if isinstance(op, ComputeOp) and len(op.inputs) > 1:
                found = {a.name: a.extent for a in op.axes.data if a.reduce}
                reductions.setdefault(f.sym_name.data, found)
    for row in rows:
        reduction = reductions.get(row.kernel.partition("_nest")[0])
        if reduction and row.multiply_adds and not row.kernel.startswith("dense"):
            yield row, reduction


def test_contractions_of_resnet50_are_busy_with_products() -> None:
    found = list(windows("resnet50"))
    assert len(found) == 24  # those that are different
    for row, reduction in found:
        taps = reduction.get("kh", 1)
        assert row.lanes == 16
        assert row.share >= (0.9 if taps == 3 else 0.85), row
        assert (row.other_reads, row.stateless) == (0, 0), row


def test_windows_of_single_channels_in_mobilenet_are_read_in_blocks() -> None:
    found = [row for row, reduction in windows("mobilenet_v2") if "ic" not in reduction]
    assert len(found) == 10
    for row in found:
        assert row.block_reads >= 10, row
        assert (row.lanes, row.other_reads, row.stateless) == (16, 0, 0), row
        assert row.share >= 0.7, row
