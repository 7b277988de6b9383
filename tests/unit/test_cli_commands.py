"""What the commands do when all is well, and what is wrong only once they have begun."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lamina as api
from lamina.backends.cpu.cores import default_threads
from lamina.tools._arrays import load_npz, save_npz
from lamina.tools.lamina import main
from tests.unit.cli import Command
from tests.unit.tiny import close, reference, tiny_model

LEVELS = ("graph", "te", "loop", "vector")
X = np.random.default_rng(3).standard_normal((1, 3, 12, 12)).astype(np.float32)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a name that must be quoted, a model and inputs in it."""
    folder = tmp_path / "modèles à moi"
    folder.mkdir()
    onnx.save(tiny_model(), folder / "tiny é.onnx")
    save_npz(folder / "in put.npz", {"data": X})
    return folder


@pytest.fixture
def model(folder: Path) -> Path:
    return folder / "tiny é.onnx"


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def result_of(lamina: Command, model: Path) -> np.ndarray:
    out = model.parent / "out.npz"
    lamina("run", model, "--input", model.parent / "in put.npz", "--output", out)
    return load_npz(out)["prob"]


def test_compiled_artifact_runs(lamina: Command, folder: Path, model: Path) -> None:
    assert lamina("compile", model, "-o", folder / "tiny.lam") == ""
    want = reference(tiny_model(), {"data": X})["prob"]
    assert close(result_of(lamina, folder / "tiny.lam"), want)
    assert close(result_of(lamina, model), want)
    names = {p.name for p in folder.iterdir()}
    assert names == {"tiny é.onnx", "in put.npz", "tiny.lam", "out.npz"}


@pytest.mark.parametrize("level", LEVELS)
def test_emitted_level_runs_and_gives_the_same(
    lamina: Command, folder: Path, model: Path, level: str
) -> None:
    file = folder / f"{level}.mlir"
    assert lamina("compile", model, "--emit", level, "-o", file) == ""
    assert file.with_suffix(".safetensors").is_file()
    assert np.array_equal(result_of(lamina, file), result_of(lamina, model))
    assert lamina("compile", model, "--emit", level) == file.read_text()
    file.with_suffix(".safetensors").unlink()
    message = lamina.error("run", file)
    assert re.search("no weight [0-9a-f]{16}|weight '[0-9a-f]{16}' is missing", message)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_cut_off_weights_are_refused(lamina: Command, folder: Path, model: Path, keep: int) -> None:
    lamina("compile", model, "--emit", "te", "-o", folder / "te.mlir")
    weights = folder / "te.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    message = lamina.error("run", folder / "te.mlir")
    assert re.search(
        "safetensors( is not a complete safetensors file|: the file is empty)", message
    )


def test_constants_of_every_level_are_read_back(lamina: Command, folder: Path) -> None:
    """Minus infinity and the magic numbers of exp are printed as bits, in vectors too."""
    nodes = [
        helper.make_node("MaxPool", ["data"], ["p"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Softmax", ["p"], ["prob"], axis=3),
    ]
    graph = tiny_model().graph
    del graph.node[:], graph.initializer[:], graph.output[:]
    graph.node.extend(nodes)
    graph.output.append(helper.make_tensor_value_info("prob", TensorProto.FLOAT, X.shape))
    model = folder / "soft.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), model)
    want = result_of(lamina, model)
    lamina("compile", model, "--emit", "vector", "-o", folder / "vector.mlir")
    assert "dense<0x" in (folder / "vector.mlir").read_text()
    for level in LEVELS:
        file = folder / f"{level}.mlir"
        lamina("compile", model, "--emit", level, "-o", file)
        assert np.array_equal(result_of(lamina, file), want)


def test_each_level_has_its_ops(lamina: Command, model: Path) -> None:
    markers = ["graph.conv2d", "te.compute", "loop.for", "math.fma"]
    text = dict(zip(markers, (lamina("compile", model, "--emit", x) for x in LEVELS), strict=True))
    assert [m for m in markers if m in text["graph.conv2d"]] == ["graph.conv2d"]
    assert [m for m in markers if m in text["te.compute"]] == ["te.compute", "math.fma"]
    assert {"te.compute", "loop.for"} <= {m for m in markers if m in text["loop.for"]}
    assert [m for m in markers if m in text["math.fma"]] == ["loop.for", "math.fma"]


def test_llvm_and_assembly_are_printed_for_any_cpu(lamina: Command, model: Path) -> None:
    assert "define void @main(ptr" in lamina("compile", model, "--emit", "llvm")
    assert "ymm" in lamina("compile", model, "--emit", "asm", "--target", "cpu:haswell")
    wide = lamina("compile", model, "--emit", "asm", "--target", "cpu:skylake-avx512")
    assert "zmm" in wide


KERNEL = """
func.func @double(%x: memref<4x16xf32>, %y: memref<4x16xf32>) {
  te.compute axes(i: 4, j: 16) ins(%x[i, j]) out(%y[i, j]) init 0.0 : f32
    schedule [parallel i, vector j]
    : memref<4x16xf32>, memref<4x16xf32> (%a: f32, %acc: f32) {
    %s = arith.addf %a, %a : f32
    te.yield %s : f32
  }
  func.return
}
"""


def test_kernel_written_by_hand_goes_to_any_back_end(lamina: Command, tmp_path: Path) -> None:
    file = tmp_path / "kernel.mlir"
    file.write_text(KERNEL)
    assert "vec.load" in lamina("compile", file, "--emit", "vector")
    assert "define void @double" in lamina("compile", file, "--emit", "llvm")
    assert "kernel void double" in lamina("compile", file, "--emit", "opencl")
    cpu = lamina.error("compile", file, "--emit", "opencl", "--target", "cpu:haswell")
    assert cpu.startswith("opencl: kernels are for OpenCL devices, got cpu:haswell")
    opencl = lamina.error("compile", file, "--emit", "asm", "--target", "opencl:intel-xe")
    assert opencl.startswith("asm: LLVM needs a cpu target")


def test_kernels_without_opencl_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, file = tmp_path / "kernels.mlir", tmp_path / "kernels.cl"
    model.write_text(
        "func.func @taken(%i: memref<16xi64>, %x: memref<4xf32>, %y: memref<16xf32>) {"
        "  %l = vec.load %i[0] : memref<16xi64> -> vector<16xi64>"
        "  %v = vec.gather %x[0] at %l : memref<4xf32>, vector<16xi64> -> vector<16xf32>"
        "  vec.store %v, %y[0] : vector<16xf32>, memref<16xf32>"
        "  func.return }"
        "func.func @one(%y: memref<1xf32>) {"
        "  %one = arith.constant 1.0 : f32"
        "  vec.store %one, %y[0] : f32, memref<1xf32>"
        "  func.return }"
    )
    assert main(["compile", str(model), "--emit", "opencl", "-o", str(file)]) == 0
    (remark,) = capsys.readouterr().err.splitlines()
    assert remark.startswith("lamina: remark: not printed: opencl: @taken: vec.gather needs lanes")
    text = file.read_text()
    assert remark.replace("lamina: remark: ", "// ") in text
    assert re.findall(r"__kernel void (\w+)", text) == ["one"]


def test_every_kernel_of_a_network_has_opencl(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, same = tmp_path / "tiny.cl", ["--target", "opencl:intel-gen9"]
    assert main(["compile", str(model), "--emit", "opencl", "-o", str(file), *same]) == 0
    assert not capsys.readouterr().err
    te = tmp_path / "te.mlir"
    assert main(["compile", str(model), "--emit", "te", "-o", str(te), *same]) == 0
    made = re.findall(r"func.func private @(\w+)", te.read_text())
    printed = re.findall(r"__kernel void (\w+?)(?:_nest\d+)?\(", file.read_text())
    assert list(dict.fromkeys(printed)) == made


def test_kernel_without_opencl_alone_is_an_error(lamina: Command, tmp_path: Path) -> None:
    file = tmp_path / "kernel.mlir"
    text = "func.func @double(%x: memref<8xi4>) { %c = arith.constant 1 : i32 func.return }"
    file.write_text(text)
    message = lamina.error("compile", file, "--emit", "opencl")
    assert message == "opencl: @double: no OpenCL type for i4"


def test_random_inputs_depend_on_the_seed_alone(lamina: Command, model: Path) -> None:
    first = lamina("run", model, "--seed", 5)
    assert first.startswith("inputs: random, seed 5")
    assert "prob: 1x10 float32, " in first
    assert re.search(r"row 0, top 5: \[\d\] ", first)
    assert lamina("run", model, "--seed", 5) == first
    assert lamina("run", model).partition("\n")[2] != first.partition("\n")[2]


def test_artifact_for_a_cpu_that_this_one_is_not(
    lamina: Command, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamina("compile", model, "--target", "cpu:skylake-avx512", "-o", folder / "t.lam")
    monkeypatch.setattr("lamina.backends.cpu.model.missing_features", lambda f: ["avx512f"])
    for args in ([folder / "t.lam"], [model, "--target", "cpu:skylake-avx512"]):
        message = lamina.error("run", *args)
        assert "compiled for cpu:skylake-avx512 and needs avx512f, which this CPU lacks" in message


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "input 'data' is missing"),
        ({"data": X, "more": X}, "no input 'more'; its inputs are 'data'"),
        ({"data": X[:, :, 1:]}, "input 'data' needs shape (1, 3, 12, 12), got (1, 3, 11, 12)"),
        ({"data": X.astype(np.float64)}, "input 'data' needs float32, got float64"),
        ({"data": X.astype(np.int32)}, "input 'data' needs float32, got int32"),
    ],
)
def test_wrong_input_is_refused(
    lamina: Command, folder: Path, model: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    save_npz(folder / "wrong.npz", arrays)
    assert message in lamina.error(
        "run", model, "--input", folder / "wrong.npz", "--output", folder / "out.npz"
    )
    assert not (folder / "out.npz").exists()


MALFORMED = [
    ("func.func @main( {", r"bad\.mlir:1:18: Expected"),
    ("func.func @main() {\n  conv.two %x\n}", r"bad\.mlir:2:\d+: "),
    ("func.func @f() {\n  %0 = arith.addf %x, %x : f32\n  func.return\n}", "%x"),
    (
        "func.func @f(%x: f32) -> i32 {\n  func.return %x : f32\n}",
        r"bad\.mlir:2:3: 'func\.return': Expected arguments to have the same types",
    ),
    ("\xff\xfe", r"bad\.mlir: is not IR text"),
    ("builtin.module {}", "a model needs one function with the attribute lamina.entry, found 0"),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_malformed_ir_is_one_line_with_its_place(
    lamina: Command, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "bad.mlir").write_bytes(text.encode("latin1"))
    assert re.search(message, lamina.error("run", tmp_path / "bad.mlir"))


def test_options_that_come_too_late_are_refused(lamina: Command, folder: Path, model: Path) -> None:
    lamina("compile", model, "-o", folder / "t.lam")
    for options in (["--target", "cpu:haswell"], ["--shape", "data=1x3x12x12"]):
        assert "is compiled already" in lamina.error("run", folder / "t.lam", *options)
    lamina("compile", model, "--emit", "graph", "-o", folder / "t.mlir")
    message = lamina.error("run", folder / "t.mlir", "--shape", "data=1x3x12x12")
    assert "shapes are part of the IR" in message


def test_damaged_artifact_is_refused(lamina: Command, folder: Path, model: Path) -> None:
    lamina("compile", model, "-o", folder / "t.lam")
    (folder / "t.lam").write_bytes((folder / "t.lam").read_bytes()[:-10])
    assert "was cut off" in lamina.error("run", folder / "t.lam")


@pytest.mark.parametrize("command", ["compile", "run"])
def test_options_of_the_compiler_are_checked(
    lamina: Command, folder: Path, model: Path, command: str
) -> None:
    output = ["-o", folder / "t.lam"] if command == "compile" else []
    args = [command, model, *output]
    assert "unknown target 'gpu'" in lamina.error(*args, "--target", "gpu")
    assert "'x'" in lamina.error(*args, "--shape", "x=1x2")
    assert not (folder / "t.lam").exists()


def test_threads_are_chosen_or_given(lamina: Command, folder: Path, model: Path) -> None:
    file = folder / "t.lam"
    lamina("compile", model, "-o", file)
    assert api.load(file).manifest.threads == default_threads()
    lamina("compile", model, "-o", file, "--threads", 2)
    assert api.load(file).manifest.threads == 2
    on_two = lamina("run", file, "--seed", 3)
    assert on_two == lamina("run", file, "--seed", 3, "--threads", 1)
    assert on_two == lamina("run", model, "--seed", 3, "--threads", 3)
    message = lamina.error("run", file, "--threads", 3)
    assert "threads=3 needs a model that was compiled for so many, this one was for 2" in message


def test_bench_compares_and_profiles(lamina: Command, folder: Path, model: Path) -> None:
    report = folder / "report.json"
    options = ["--against", "onnxruntime", "--rounds", 3, "--profile", "--json", report]
    text = lamina("bench", model, *options)
    found = json.loads(report.read_text())
    (entry,) = found["models"]
    peer = entry["contenders"]["onnxruntime@1"]
    assert peer["difference"] < 1e-5
    assert len(peer["ratio"]["rounds"]) == 3
    assert peer["ratio"]["low"] <= peer["ratio"]["median"] <= peer["ratio"]["high"]
    assert entry["contenders"]["lamina@1"]["latency"]["median_ms"] > 0
    assert found["machine"]["cpu"] in text
    assert f"onnxruntime {peer['version']}" in text
    profile = entry["profile"]
    assert profile["peak_gflops"] > 1
    assert all(c["symbol"] in text and 0 <= c["share_of_peak"] <= 1.03 for c in profile["calls"])
    assert "total" in text


def test_bench_takes_artifacts_alone(lamina: Command, folder: Path, model: Path) -> None:
    lamina("compile", model, "-o", folder / "t.lam")
    assert f"lamina {api.__version__}" in lamina("bench", folder / "t.lam", "--rounds", 1)


def test_bench_refuses_a_constant_output(lamina: Command, folder: Path) -> None:
    model = tiny_model()
    (g,) = (t for t in model.graph.initializer if t.name == "g")
    g.CopyFrom(onnx.numpy_helper.from_array(np.zeros(tuple(g.dims), np.float32), "g"))
    onnx.save(model, folder / "constant.onnx")
    message = lamina.error("bench", folder / "constant.onnx", "--rounds", 1)
    assert "the output is the same for different inputs" in message


def test_bench_refuses_a_difference(lamina: Command, model: Path) -> None:
    options = ["--against", "onnxruntime", "--rounds", 1, "--tolerance", 0]
    assert "outputs differ from those of onnxruntime" in lamina.error("bench", model, *options)


def start(*args: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lamina.tools.lamina", *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_interrupted_bench_ends_its_processes(model: Path) -> None:
    process = start("bench", model, "--against", "onnxruntime", "--rounds", 10**6)
    try:
        until = time.monotonic() + 30
        while len(children := children_of(process.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, err) == (1, "lamina: interrupted\n")
    assert len(children) == 2
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_full_disk_is_one_line(model: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "lamina.tools.lamina", "run", str(model), "--no-cache"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "lamina: No space left on device\n")


def test_input_is_not_overwritten(lamina: Command, folder: Path, model: Path) -> None:
    before = model.read_bytes()
    (folder / "link.onnx").symlink_to(model.name)
    for command in (["compile", model, "-o"], ["run", model, "--output"]):
        for output in (model, folder / "link.onnx"):
            assert lamina.error(*command, output) == f"cannot write '{output}': it is the input"
    assert model.read_bytes() == before


def test_only_files_are_replaced(lamina: Command, model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.lam")
    message = f"cannot write '{tmp_path}/pipe.lam': it is not a file that can be replaced"
    assert lamina.error("compile", model, "-o", tmp_path / "pipe.lam") == message
    with pytest.raises(api.LaminaError, match=r"pipe\.lam: it is not a file that can be replaced"):
        api.compile(model).save(tmp_path / "pipe.lam")
    assert (tmp_path / "pipe.lam").is_fifo()


def test_reader_that_leaves_is_one_line(model: Path) -> None:
    process = start("compile", model, "--emit", "vector", "--no-cache")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(20) == 1
    assert err == "lamina: whoever read the output closed it before the end\n"
