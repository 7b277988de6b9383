"""lamina-opt as a program: messages of one line, exit status, files written whole or not at all."""

import os
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects import arith, func, test
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f32
from xdsl.ir import Block, Region

from lamina.passes.check.verify_dominance import violations
from lamina.tools import lamina_opt, opt
from lamina.tools._stages import Timer
from lamina.weights import WeightStore

GOOD = "func.func @f(%x: f32) -> f32 {\n  func.return %x : f32\n}\n"
LIT = Path(__file__).parents[1] / "lit"
LOADED = LIT / "tools" / "inputs" / "rename.py"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.mlir"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p", "no-such-pass"],
        ["-p", "cse{depth=1}"],
        ["-p", "cse{"],
        ["-t", "no-such-target"],
        ["--no-such-flag"],
        ["--weights", "none.safetensors"],
        ["--load", "none.py"],
        ["--load", str(LOADED), "-p", "refuse"],
        ["--load", str(LOADED), "-p", "crash"],
        ["--load", str(LOADED), "-p", "break"],
        ["-o", "none/out.mlir"],
        ["-f", "none"],
    ],
    ids=" ".join,
)
def test_mistake_is_one_line_and_status_1(
    arguments: list[str], good: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert opt.main([str(good), *arguments]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("lamina-opt: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    ["func.func @f(", '"', '"' + 40 * "a long string ", "\xff", "%x = arith.addf %y, %z : f32"],
)
def test_malformed_input_is_one_line(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.mlir"
    path.write_bytes(text.encode("latin-1"))
    assert opt.main([str(path)]) == 1
    assert capfd.readouterr().err.count("\n") == 1


def test_traceback_is_shown_on_request(good: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert opt.main([str(good), "--load", str(LOADED), "-p", "crash", "--traceback"]) == 1
    assert 'raise KeyError("lost")' in capfd.readouterr().err


def test_failure_leaves_the_output_file_as_it_was(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mlir"
    out.write_text("before")
    assert opt.main([str(good), "--load", str(LOADED), "-p", "refuse", "-o", str(out)]) == 1
    assert out.read_text() == "before"
    assert {p.name for p in tmp_path.iterdir()} == {"good.mlir", "out.mlir"}
    assert opt.main([str(good), "-o", str(out)]) == 0
    assert "func.func @f" in out.read_text()


def test_split_input_fails_at_the_line_of_the_whole_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "split.mlir"
    path.write_text(f"{GOOD}// -----\nfunc.func @g() {{ arith.frob }}\n")
    assert opt.main([str(path), "--split-input-file"]) == 1
    out, err = capfd.readouterr()
    assert "func.func @f" in out
    assert "split.mlir:5:29: " in err


def heed_interrupts() -> None:
    """A job in the background of a script ignores SIGINT, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interruption_while_importing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Finder:
        """Interrupts the import of lamina-opt."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "lamina.tools.opt":
                signal.raise_signal(signal.SIGINT)

    monkeypatch.delitem(sys.modules, "lamina.tools.opt")
    monkeypatch.delattr("lamina.tools.opt")
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert lamina_opt.main([]) == 1
    assert capfd.readouterr() == ("", "lamina-opt: interrupted\n")


def test_interruption_is_one_line_and_status_1(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "from xdsl.passes import ModulePass\n"
        "class SlowPass(ModulePass):\n"
        "    name = 'slow'\n"
        "    def apply(self, ctx, op):\n"
        "        print('started', flush=True)\n"
        "        time.sleep(60)\n"
    )
    (tmp_path / "good.mlir").write_text(GOOD)
    command = [sys.executable, "-m", "lamina.tools.lamina_opt", "good.mlir", "--load", "slow.py"]
    with subprocess.Popen(
        [*command, "-p", "slow", "-o", "out.mlir"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (1, "lamina-opt: interrupted\n")
    assert not (tmp_path / "out.mlir").exists()


def test_weights_lie_beside_the_module(tmp_path: Path) -> None:
    store = WeightStore()
    key = store.put(np.arange(3, dtype=np.float32))
    store.put(np.zeros(1000, np.float32))
    store.save(tmp_path / "in.safetensors")
    text = f'func.func @f(%w: memref<3xf32> {{lamina.weight = "{key}"}}) {{ func.return }}'
    (tmp_path / "in.mlir").write_text(text)
    assert opt.main([str(tmp_path / "in.mlir"), "-o", str(tmp_path / "out.mlir")]) == 0
    kept = WeightStore()
    kept.load(tmp_path / "out.safetensors")
    assert list(kept) == [key]


def test_value_of_another_region_is_out_of_scope() -> None:
    """No text says this: the parser keeps track of regions."""
    inner = arith.ConstantOp(FloatAttr(1.0, f32))
    region = Region(Block([inner, test.TestTermOp()]))
    body = Block([test.TestOp(regions=[region]), test.TestOp([inner.result]), func.ReturnOp()])
    module = ModuleOp([func.FuncOp("f", ((), ()), Region(body))])
    (found,) = violations(module)
    assert "is used outside the region it is visible in (operand 0 of test.op in @f)" in found


@pytest.mark.alone
def test_help_is_quick() -> None:
    """Time of the CPU, not of the clock: other processes count for nothing."""
    command = [sys.executable, "-m", "lamina.tools.lamina_opt", "--help"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    seconds: list[float] = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.4


def test_help_does_without_numpy_and_llvm() -> None:
    code = (
        "import sys; from lamina.tools import opt\n"
        "try: opt.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'llvmlite', 'onnx') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_reproducer_fails_again_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(LIT / "tools")
    file = tmp_path / "re pro.mlir"
    arguments = ["--load", "inputs/faults.py", "-p", "te-schedule,fault-drop-tail", "--validate=5"]
    assert opt.main(["validate.mlir", *arguments, "--reproducer", str(file)]) == 1
    reason = capfd.readouterr().err.splitlines()[-1].partition("; reproducer: ")[0]
    monkeypatch.chdir(tmp_path)
    said, run = file.read_text().splitlines()[:2]
    assert said == reason.replace("lamina-opt: ", "// ")
    command = shlex.split(run.removeprefix("// RUN: ").replace("%s", shlex.quote(file.name)))
    assert command[0] == "lamina-opt"
    assert opt.main(command[1:]) == 1
    err = capfd.readouterr().err
    Path(err.strip().rpartition("; reproducer: ")[2]).unlink()
    assert f"{reason}; reproducer: " in err


def test_times_of_passes_are_sorted(capfd: pytest.CaptureFixture[str]) -> None:
    timer = Timer()
    for name, seconds in (("quick", 0.25), ("slow", 2.0), ("middling", 0.75)):
        timer.seconds[name] += seconds
        timer.runs[name] += 1
    timer.end()
    head, *lines = capfd.readouterr().err.splitlines()
    assert head == "time of passes: 3.0000 s, verification included"
    assert [line.split() for line in lines] == [
        ["66.7", "%", "2.0000", "s", "slow"],
        ["25.0", "%", "0.7500", "s", "middling"],
        ["8.3", "%", "0.2500", "s", "quick"],
    ]


PACKAGE = """
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition
from xdsl.passes import ModulePass
from xdsl.universe import Universe

@irdl_op_definition
class MarkOp(IRDLOperation):
    name = "other.mark"
    assembly_format = "attr-dict"

class MarkPass(ModulePass):
    name = "other-mark"

    def apply(self, ctx, op):
        op.body.block.add_op(MarkOp())

UNIVERSE = Universe(
    all_dialects={"other": lambda: Dialect("other", [MarkOp])},
    all_passes={"other-mark": lambda: MarkPass},
)
"""


@pytest.mark.parametrize("tool", ["lamina.tools.lamina_opt", "xdsl.tools.xdsl_opt"])
def test_installed_package_adds_passes_and_dialects(tool: str, tmp_path: Path) -> None:
    """What pip leaves of a package with the entry point `xdsl.universe`."""
    (tmp_path / "other.py").write_text(PACKAGE)
    about = tmp_path / "other-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text("[xdsl.universe]\nother = other:UNIVERSE\n")
    (tmp_path / "in.mlir").write_text("other.mark\n")
    done = subprocess.run(
        [sys.executable, "-m", tool, "in.mlir", "-p", "other-mark"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("other.mark") == 2
