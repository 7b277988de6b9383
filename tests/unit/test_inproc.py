"""The lit runner itself: a runner that passes everything would hide every other fault."""

import sys
from pathlib import Path

import inproc
import pytest
from xdsl.ir import Attribute

MODULE = "// CHECK: func.func @f\nfunc.func @f() {\n  func.return\n}\n"


def run(line: str, folder: Path) -> str | None:
    stages = inproc.parse(line, {"%s": str(folder / "a file.mlir")})
    assert stages is not None, f"not run in process: {line}"
    return inproc.run(stages, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a file.mlir").write_text(MODULE)
    return tmp_path


def test_pipeline_whose_checks_hold_passes(folder: Path) -> None:
    assert run("xdsl-opt %s | filecheck %s", folder) is None


def test_pipeline_whose_checks_do_not_hold_fails(folder: Path) -> None:
    (folder / "a file.mlir").write_text(MODULE.replace("CHECK: func.func", "CHECK: func.call"))
    assert "filecheck" in (run("xdsl-opt %s | filecheck %s", folder) or "")


def test_not_needs_a_failure(folder: Path) -> None:
    assert run("not xdsl-opt --no-such-flag", folder) is None
    assert "needed a failure" in (run("not xdsl-opt %s", folder) or "")


def test_crash_is_not_the_failure_that_not_needs(folder: Path) -> None:
    (folder / "a file.mlir").write_text("not IR at all")
    assert "crashed" in (run("not xdsl-opt %s", folder) or "")


def test_merged_streams_reach_the_next_command(folder: Path) -> None:
    (folder / "a file.mlir").write_text("// CHECK: unrecognized arguments: --no-such-flag\n")
    assert run("not xdsl-opt --no-such-flag 2>&1 | filecheck %s", folder) is None
    assert run("not xdsl-opt --no-such-flag | filecheck %s", folder) is not None


@pytest.mark.parametrize(
    "line", ["cat %s", "xdsl-opt %s > out", "xdsl-opt %s && true", "not true", "A=1 xdsl-opt"]
)
def test_what_needs_a_shell_is_left_to_it(line: str) -> None:
    assert inproc.parse(line, {"%s": "f.mlir"}) is None


def test_flags_that_patch_xdsl_do_not_outlive_their_test(folder: Path) -> None:
    before = Attribute.__post_init__, sys.argv, sys.stdin
    assert run("xdsl-opt --disable-verify --syntax-highlight %s", folder) is None
    assert before == (Attribute.__post_init__, sys.argv, sys.stdin)
