"""Plain xdsl-opt finds what Lamina brings, and keeps what it has: no name is taken twice."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from xdsl.universe import Universe

from lamina.universe import UNIVERSE

BOTH_VECTORS = """
func.func @both_vectors(%x: memref<16xf32>, %v: vector<16xf32>) -> vector<16xf32> {
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %b = "vector.fma"(%a, %a, %v) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
  func.return %b : vector<16xf32>
}
"""
TWO_POINTWISE_OPS = """
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %b = graph.exp %a : tensor<4xf32> -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}
"""


def tool(name: str, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an installed program on `text`."""
    program = Path(sys.executable).with_name(name)
    return subprocess.run([program, *arguments], input=text, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["xdsl-opt", "lamina-opt"])
def test_both_vector_dialects_are_read_and_printed(name: str) -> None:
    done = tool(name, BOTH_VECTORS)
    assert done.returncode == 0, done.stderr
    assert "vec.load %x[0]" in done.stdout
    assert "vector.fma" in done.stdout


@pytest.mark.parametrize("name", ["xdsl-opt", "lamina-opt"])
def test_passes_are_found(name: str) -> None:
    done = tool(name, TWO_POINTWISE_OPS, "-p", "fuse-epilogues")
    assert done.returncode == 0, done.stderr
    assert "graph.fused" in done.stdout


def test_pass_that_needs_weights_says_what_to_run_instead() -> None:
    done = tool("xdsl-opt", TWO_POINTWISE_OPS, "-p", "fold-batch-norm")
    assert done.returncode != 0
    assert "run this pass with lamina-opt" in done.stderr.splitlines()[-1]


def test_target_prints_machine_ir() -> None:
    kernel = "func.func private @k(%x: memref<4xf32>) {\n  func.return\n}"
    done = tool("xdsl-opt", kernel, "-t", "lamina-llvm")
    assert done.returncode == 0, done.stderr
    assert "define void @k(" in done.stdout


def test_no_name_is_one_of_xdsl() -> None:
    (entry,) = entry_points(group="xdsl.universe", name="xdsl")
    theirs: Universe = entry.load()
    assert "vector" in theirs.all_dialects
    assert "llvm" in theirs.all_targets
    assert not theirs.all_dialects.keys() & UNIVERSE.all_dialects.keys()
    assert not theirs.all_targets.keys() & UNIVERSE.all_targets.keys()
    assert not theirs.all_passes.keys() & UNIVERSE.all_passes.keys()
