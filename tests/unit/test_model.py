"""Compiled models: calls, checks, threads, profiles, and the artifact in good and bad order."""

import json
import os
import stat
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu.build import build_model
from lamina.backends.load import load
from lamina.backends.machine import describe
from lamina.backends.model import CompiledModel
from lamina.context import new_context
from lamina.errors import LaminaError

# y = w * x, then z = y + x; y goes through the arena, with a border of 4 around it
TEXT = """
!row = memref<2x16xf32, strided<[24, 1], offset: 4>>
func.func private @scale(%x: memref<2x16xf32>, %w: memref<16xf32>, %y: !row) {
  loop.for %i < 2 {
    %a = vec.load %x[%i, 0] : memref<2x16xf32> -> vector<16xf32>
    %b = vec.load %w[0] : memref<16xf32> -> vector<16xf32>
    %c = arith.mulf %a, %b : vector<16xf32>
    vec.store %c, %y[%i, 0] : vector<16xf32>, !row
    loop.yield
  }
  func.return
}
func.func private @add(%x: memref<2x16xf32>, %y: !row, %z: memref<2x16xf32>) {
  loop.for %i < 2 {
    %a = vec.load %x[%i, 0] : memref<2x16xf32> -> vector<16xf32>
    %b = vec.load %y[%i, 0] : !row -> vector<16xf32>
    %c = arith.addf %a, %b : vector<16xf32>
    vec.store %c, %z[%i, 0] : vector<16xf32>, memref<2x16xf32>
    loop.yield
  }
  func.return
}
func.func @main(%x: memref<2x16xf32> {lamina.input = "data"},
                %z: memref<2x16xf32> {lamina.output = "sum"},
                %w: memref<16xf32> {lamina.weight = "k1"},
                %arena: memref<256xi8> {lamina.arena}) attributes {lamina.entry} {
  %0 = arith.constant 64 : index
  %t = memref.view %arena[%0][] : memref<256xi8> to memref<2x24xf32>
  %y = memref.subview %t[0, 4] [2, 16] [1, 1] : memref<2x24xf32> to !row
  func.call @scale(%x, %w, %y) {lamina.source = "mul1", lamina.layout = "HW"}
    : (memref<2x16xf32>, memref<16xf32>, !row) -> ()
  func.call @add(%x, %y, %z) {lamina.flops = 99 : i64}
    : (memref<2x16xf32>, !row, memref<2x16xf32>) -> ()
  func.return
}"""
W = np.arange(16, dtype=np.float32)


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def make(target: str = "cpu") -> CompiledModel:
    return build_model(parse(TEXT), describe(target), {"k1": W})


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    return make()


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 16)).astype(np.float32)


def test_call_and_run_agree(model: CompiledModel, x: np.ndarray) -> None:
    expected = x * W + x
    np.testing.assert_array_equal(model(x), expected)
    results = model.run({"data": x})
    assert list(results) == ["sum"]
    np.testing.assert_array_equal(results["sum"], expected)


def test_results_are_not_overwritten_by_the_next_call(model: CompiledModel, x: np.ndarray) -> None:
    first = model(x)
    kept = first.copy()
    model(x + 1)
    np.testing.assert_array_equal(first, kept)


def test_inputs_and_outputs_are_described(model: CompiledModel) -> None:
    assert model.inputs == [("data", (2, 16), np.dtype(np.float32))]
    assert model.outputs == [("sum", (2, 16), np.dtype(np.float32))]


def test_odd_memory_is_copied(model: CompiledModel, x: np.ndarray) -> None:
    np.testing.assert_array_equal(model(x.T.copy().T), x * W + x)
    misaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:]
    misaligned = misaligned.view(np.float32).reshape(2, 16)
    assert not misaligned.flags.aligned
    np.testing.assert_array_equal(model(misaligned), x * W + x)
    np.testing.assert_array_equal(model(x[::-1]), x[::-1] * W + x[::-1])


def test_wrong_inputs_are_refused_by_name(model: CompiledModel, x: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"input 'data' needs shape \(2, 16\), got \(16, 2\)"):
        model(x.T)
    with pytest.raises(TypeError, match="input 'data' needs float32, got float64"):
        model(x.astype(np.float64))
    with pytest.raises(ValueError, match="no input 'image'; its inputs are 'data'"):
        model.run({"image": x})
    with pytest.raises(ValueError, match="input 'data' is missing; got none"):
        model.run({})
    with pytest.raises(LaminaError):
        model([1, 2, 3])


def test_missing_and_odd_weights_are_refused() -> None:
    with pytest.raises(LaminaError, match="weight 'k1' is missing"):
        build_model(parse(TEXT), describe("cpu"), {})
    with pytest.raises(LaminaError, match=r"weight 'k1' needs float32\[16\], got float64\[16\]"):
        build_model(parse(TEXT), describe("cpu"), {"k1": W.astype(np.float64)})


def test_concurrent_calls_do_not_share_an_arena(model: CompiledModel) -> None:
    wrong, stop = list[float](), time.monotonic() + 0.5

    def work(seed: int) -> None:
        x = np.full((2, 16), seed, np.float32)
        expected = x * W + x
        while time.monotonic() < stop:
            if not np.array_equal(model(x), expected):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(s,)) for s in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_profile_lists_the_calls_in_order(model: CompiledModel, x: np.ndarray) -> None:
    scale, add = model.profile({"data": x}, rounds=3)
    assert (scale.call, scale.symbol, scale.source, scale.flops) == (0, "scale", "mul1", 32)
    assert (add.call, add.symbol, add.source, add.flops) == (1, "add", "", 99)
    assert 0 < scale.seconds < 0.1


def test_values_are_what_each_kernel_wrote(model: CompiledModel, x: np.ndarray) -> None:
    values = model.values({"data": x})
    np.testing.assert_array_equal(values["mul1"], x * W)
    np.testing.assert_array_equal(values["add#1"], x * W + x)
    assert model.layouts == {"mul1": "HW", "add#1": ""}


def test_a_call_takes_microseconds(model: CompiledModel, x: np.ndarray) -> None:
    model(x)
    best = min(_seconds(lambda: model(x)) for _ in range(2000))
    assert best < 50e-6  # 7 us on an idle machine


def _seconds(f) -> float:
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def test_a_saved_model_computes_the_same(
    model: CompiledModel, x: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "m.lam"
    model.save(path)
    again = load(path)
    np.testing.assert_array_equal(again(x), model(x))
    assert again.manifest == model.manifest
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


def test_an_artifact_is_a_safetensors_file(model: CompiledModel, tmp_path: Path) -> None:
    path = tmp_path / "m.lam"
    model.save(path)
    with safe_open(path, "np") as f:
        assert set(f.keys()) == {"object:main", "object:scale", "object:add", "weight:k1"}
        np.testing.assert_array_equal(f.get_tensor("weight:k1"), W)
        assert json.loads(f.metadata()["manifest"])["target"] == "cpu"


@pytest.fixture
def saved(model: CompiledModel, tmp_path: Path) -> Path:
    path = tmp_path / "m.lam"
    model.save(path)
    return path


@pytest.mark.parametrize("keep", [0, 5, 8, 100, 0.5, 0.99, -1])
def test_a_truncated_artifact_is_refused(saved: Path, keep: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(LaminaError, match=r"is not a lamina model|was cut off"):
        load(saved)


def test_an_artifact_with_something_behind_it_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"more")
    with pytest.raises(LaminaError, match="has something behind its end"):
        load(saved)


def test_a_changed_byte_anywhere_is_noticed(saved: Path) -> None:
    data = saved.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.choice(len(data), 200, replace=False):
        damaged = bytearray(data)
        damaged[at] ^= 1 << rng.integers(8)
        if bytes(damaged).rstrip() == data.rstrip():
            continue
        saved.write_bytes(damaged)
        try:
            load(saved)
        except LaminaError as e:
            assert "\n" not in str(e)  # noqa: PT017
        else:
            # spaces between the header and the data are all that nothing depends on
            assert data[at : at + 1] == b" ", at


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    other = tmp_path / "other.safetensors"
    save_file({"w": W}, other)
    onnx = tmp_path / "m.onnx"
    onnx.write_bytes(b"\x08\x08\x12\x07pytorch" * 100)
    for path in (other, onnx):
        with pytest.raises(LaminaError, match=f"{path.name} is not a lamina model"):
            load(path)
    with pytest.raises(LaminaError, match=r"cannot read .*nothing.lam: No such file"):
        load(tmp_path / "nothing.lam")


def _rewrite(path: Path, old: str, new: str) -> None:
    """Change the header and keep the lengths right."""
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + n].decode().rstrip()
    assert old in header
    header = header.replace(old, new).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[8 + n :])


def test_another_format_version_is_refused(saved: Path) -> None:
    _rewrite(saved, '"version":"1"', '"version":"7"')
    with pytest.raises(LaminaError, match="format version 7, this lamina reads version 1"):
        load(saved)


def test_a_changed_manifest_is_noticed(saved: Path) -> None:
    _rewrite(saved, "mul1", "mul2")
    with pytest.raises(LaminaError, match="checksum does not match"):
        load(saved)


def test_a_model_for_a_cpu_with_more_is_refused(
    model: CompiledModel, x: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import llvmlite.binding as llvm

    path = tmp_path / "m.lam"
    make("cpu:skylake-avx512").save(path)
    has = dict(llvm.get_host_cpu_features()) | {"avx512f": False, "avx512vl": False}
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: has)
    with pytest.raises(LaminaError, match="for cpu:skylake-avx512 and needs avx512f, avx512vl, wh"):
        load(path)
    foreign = make("cpu:skylake-avx512")  # can be made and saved here, not run
    foreign.save(path)
    with pytest.raises(LaminaError, match="needs avx512f"):
        foreign(x)


def test_a_model_for_an_older_cpu_runs_here(x: np.ndarray) -> None:
    np.testing.assert_array_equal(make("cpu:x86-64")(x), x * W + x)


def test_a_model_that_cannot_be_written_leaves_nothing(
    model: CompiledModel, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LaminaError, match=r"cannot write .*m.lam: No such file"):
        model.save(tmp_path / "no" / "m.lam")
    before = saved.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.save(saved)
    assert saved.read_bytes() == before
    assert list(tmp_path.iterdir()) == [saved]


def test_modules_that_are_no_model_are_refused() -> None:
    cpu = describe("cpu")
    with pytest.raises(DiagnosticException, match=r"one function with the attribute lamina.entry"):
        build_model(parse("func.func @f(%x: memref<4xf32>) { func.return }"), cpu, {})
    with pytest.raises(DiagnosticException, match=r"@main: argument 1 needs one of lamina.input"):
        build_model(parse(TEXT.replace('{lamina.output = "sum"}', "{}")), cpu, {"k1": W})
    looped = TEXT.replace(
        "  func.call @scale", "  loop.for %i < 2 { loop.yield }\n  func.call @scale"
    )
    with pytest.raises(DiagnosticException, match="an entry calls kernels with buffers, got loop"):
        build_model(parse(looped), cpu, {"k1": W})
