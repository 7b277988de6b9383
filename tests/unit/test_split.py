"""Networks that are divided among devices, from IR on: buffers change hands, nothing is copied."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.parser import Parser

import lamina
from lamina import interpreters
from lamina.backends.cpu.manifest import Manifest
from lamina.backends.interface import HostWorker
from lamina.backends.model import CompiledModel
from lamina.backends.opencl.worker import Memory, OpenCLWorker
from lamina.backends.split import session
from lamina.backends.split.model import SplitModel
from lamina.context import LaminaContext, new_context
from lamina.errors import InputValueError, LaminaError
from lamina.options import Options
from lamina.regions import compile_regions

pytest.importorskip("pyopencl")
Array = NDArray[np.float32]

PLAIN, STORED = (
    "tensor<1x20x9x7xf32>",
    "tensor<1x20x9x7xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>",
)
X, E = "memref<1x20x9x7xf32>", "memref<1x2x11x9x16xf32>"
REGIONS = f"""
func.func private @first(%x: {PLAIN}) -> ({STORED}, {PLAIN})
    attributes {{lamina.device = "opencl:intel-gen9"}} {{
  %e = graph.exp %x : {PLAIN} -> {STORED}
  %n = graph.neg %x : {PLAIN} -> {PLAIN}
  func.return %e, %n : {STORED}, {PLAIN}
}}
func.func private @second(%e: {STORED}) -> {PLAIN} attributes {{lamina.device = "cpu"}} {{
  %w = graph.constant "KEY" : tensor<20x20x3x3xf32>
  %c = graph.conv2d %e, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1
    : ({STORED}, tensor<20x20x3x3xf32>) -> {PLAIN}
  func.return %c : {PLAIN}
}}
func.func private @third(%c: {PLAIN}, %n: {PLAIN}) -> {PLAIN}
    attributes {{lamina.device = "opencl:DEVICE"}} {{
  %y = graph.add %c, %n : ({PLAIN}, {PLAIN}) -> {PLAIN}
  func.return %y : {PLAIN}
}}
"""
GEN9 = '{device = "opencl:intel-gen9"}'
SHARED = f"""
func.func @main(%x: {X} {{lamina.input = "x"}}, %y: {X} {{lamina.output = "y"}},
                %c: {X} {{lamina.output = "c"}}) attributes {{lamina.entry}} {{
  %e = memref.alloc() : {E}
  %n = memref.alloc() : {X}
  graph.unmap %x {GEN9} : {X}
  graph.run @first(%x, %e, %n) : {X}, {E}, {X}
  graph.map %e {GEN9} : {E}
  graph.run @second(%e, %c) : {E}, {X}
  graph.unmap %c {GEN9} : {X}
  graph.unmap %y {GEN9} : {X}
  graph.run @third(%c, %n, %y) : {X}, {X}, {X}
  graph.map %c {GEN9} : {X}
  graph.map %y {GEN9} : {X}
  graph.map %x {GEN9} : {X}
  func.return
}}
"""
XE = '{device = "opencl:intel-xe"}'
COPIED = f"""
func.func @main(%x: {X} {{lamina.input = "x"}}, %y: {X} {{lamina.output = "y"}},
                %c: {X} {{lamina.output = "c"}}) attributes {{lamina.entry}} {{
  %e = memref.alloc() : {E}
  %n = memref.alloc() : {X}
  %n2 = memref.alloc() : {X}
  %c2 = memref.alloc() : {X}
  graph.unmap %x {GEN9} : {X}
  graph.run @first(%x, %e, %n) : {X}, {E}, {X}
  graph.map %e {GEN9} : {E}
  graph.run @second(%e, %c) : {E}, {X}
  graph.map %n {GEN9} : {X}
  graph.map %n2 {XE} : {X}
  "memref.copy"(%n, %n2) : ({X}, {X}) -> ()
  graph.unmap %n2 {XE} : {X}
  "memref.copy"(%c, %c2) : ({X}, {X}) -> ()
  graph.unmap %y {XE} : {X}
  graph.run @third(%c2, %n2, %y) : {X}, {X}, {X}
  graph.map %y {XE} : {X}
  graph.map %x {GEN9} : {X}
  func.return
}}
"""


def parsed(entry: str, device: str = "intel-gen9") -> tuple[LaminaContext, Any]:
    ctx = new_context()
    w = np.random.default_rng(5).standard_normal((20, 20, 3, 3), np.float32)
    text = (entry + REGIONS).replace("KEY", ctx.weights.put(w)).replace("DEVICE", device)
    module = Parser(ctx, text).parse_module()
    module.verify()
    return ctx, module


def silent(what: str, more: int = 0) -> None:
    pass


def compiled(entry: str = SHARED, device: str = "intel-gen9") -> SplitModel:
    ctx, module = parsed(entry, device)
    target = "opencl:intel-gen9,cpu"
    return compile_regions(ctx, module, target, Options(), silent, cache=False, verify=True)


def random(seed: int = 7) -> Array:
    return np.random.default_rng(seed).standard_normal((1, 20, 9, 7), np.float32)


def interpreted(x: Array, entry: str = SHARED) -> list[np.ndarray]:
    ctx, module = parsed(entry)
    return interpreters.call(module, "main", [x], store=ctx.weights)


@pytest.fixture(scope="module")
def model() -> SplitModel:
    return compiled()


def close(model: CompiledModel, x: Array) -> None:
    found = model.run({"x": x})
    for name, expected in zip(("y", "c"), interpreted(x), strict=True):
        assert np.abs(found[name] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_network_on_two_devices_computes_what_it_means(model: SplitModel) -> None:
    close(model, random(1))
    close(model, random(2))


def test_results_are_not_overwritten_by_the_next_call(model: SplitModel) -> None:
    first = model.run({"x": random(1)})
    copies = {name: y.copy() for name, y in first.items()}
    model.run({"x": random(2)})
    assert all(np.array_equal(first[name], y) for name, y in copies.items())


def test_nothing_is_copied_where_memory_is_shared(
    model: SplitModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, mapped, read = list[int](), list[int](), list[int]()
    to_array, to_map, call = session.copy, OpenCLWorker.map, HostWorker.call

    def copy(to: Array, source: Array) -> None:
        copied.append(to.size)
        to_array(to, source)

    def map(worker: OpenCLWorker, buffer: Memory) -> np.ndarray:
        array = to_map(worker, buffer)
        mapped.append(array.ctypes.data)
        return array

    def run(worker: HostWorker, region: CompiledModel, buffers: Sequence[np.ndarray]) -> None:
        read.extend(b.ctypes.data for b in buffers)
        call(worker, region, buffers)

    model.run({"x": random()})
    monkeypatch.setattr(session, "copy", copy)
    monkeypatch.setattr(OpenCLWorker, "map", map)
    monkeypatch.setattr(HostWorker, "call", run)
    model.run({"x": random()})
    assert copied == [20 * 9 * 7] * 3  # from the caller, and to it: no edge is among them
    assert len(read) == 2
    assert read[0] == mapped[0]  # what the kernel of the CPU reads is what the device wrote
    model.run({"x": random()})
    assert read[2:] == read[:2]
    assert mapped[4:] == mapped[:4]
    assert all(address % 64 == 0 for address in read)
    assert [s.kind for s in model.manifest.steps].count("copy") == 0


def test_devices_with_memories_of_their_own_are_copied_between() -> None:
    model = compiled(COPIED, "intel-xe")
    assert [s.kind for s in model.manifest.steps].count("copy") == 2
    close(model, random(1))
    close(model, random(2))


def test_saved_model_computes_the_same(model: SplitModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m.lam")
    found = lamina.load(tmp_path / "m.lam")
    assert isinstance(found, SplitModel)
    assert found.manifest == model.manifest == Manifest.from_json(model.manifest.to_json())
    x = random()
    for name, y in model.run({"x": x}).items():
        np.testing.assert_array_equal(found.run({"x": x})[name], y)
    with pytest.raises(LaminaError, match="threads=2 needs a model that was compiled for so many"):
        lamina.load(tmp_path / "m.lam", threads=2)


def test_region_that_cannot_run_here_is_refused(model: SplitModel, tmp_path: Path) -> None:
    manifest = model.manifest
    regions = [replace(r, features=("avx9000",)) for r in manifest.regions]
    model = SplitModel(replace(manifest, calls=(), regions=tuple(regions)), model.models)
    model.save(tmp_path / "m.lam")
    with pytest.raises(LaminaError, match=r"m.lam: the model was .* and needs avx9000, which this"):
        lamina.load(tmp_path / "m.lam")


def test_concurrent_calls_do_not_share_buffers(model: SplitModel) -> None:
    inputs = [random(k) for k in range(4)]
    right = [model.run({"x": x}) for x in inputs]
    results: dict[int, list[dict[str, np.ndarray]]] = {}

    def work(k: int) -> None:
        results[k] = [model.run({"x": inputs[k]}) for _ in range(4)]

    threads = [threading.Thread(target=work, args=[k]) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, found in results.items():
        assert all(np.array_equal(r[name], y) for r in found for name, y in right[k].items())


def test_values_and_times_are_those_of_all_regions(model: SplitModel) -> None:
    x = random()
    values, calls = model.values({"x": x}), model.manifest.calls
    assert len(values) == len(calls) == len(model.layouts)
    found = model.run({"x": x})
    last = list(values.values())[-1]
    np.testing.assert_array_equal(last, found["y"])
    timings = model.profile({"x": x}, rounds=2)
    assert [t.call for t in timings] == list(range(len(calls)))
    assert [t.symbol for t in timings] == [c.symbol for c in calls]
    assert {t.symbol.partition("/")[0] for t in timings} == {"0", "1", "2"}
    regions = [model.manifest.regions[int(c.symbol.partition("/")[0])] for c in calls]
    assert model.devices == [region.target for region in regions]
    assert set(model.devices) == {"opencl:intel-gen9", "cpu"}


def test_wrong_input_is_refused(model: SplitModel) -> None:
    with pytest.raises(InputValueError, match="input 'x' needs shape"):
        model.run({"x": random()[0]})


def test_entry_that_computes_is_refused() -> None:
    ctx, module = parsed(
        SHARED.replace("func.return", "%k = arith.constant 1 : index\nfunc.return")
    )
    with pytest.raises(LaminaError, match=r"runs regions and hands over .*, got arith.constant"):
        compile_regions(ctx, module, "cpu", Options(), silent, cache=False)


def test_region_that_cannot_be_compiled_is_named() -> None:
    ctx, module = parsed(SHARED)
    text = str(module).replace('lamina.device = "cpu"', 'lamina.device = "cpu:haswel"')
    with pytest.raises(LaminaError, match="@second: unknown target 'cpu:haswel'; did you mean"):
        compile_regions(
            ctx, Parser(ctx, text).parse_module(), "cpu", Options(), silent, cache=False
        )
