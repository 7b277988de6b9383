"""Buffers of f16, on which numbers are computed as f32: every level and back end does the same."""

from collections.abc import Sequence

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

import lamina
from lamina import interpreters
from lamina.context import new_context
from lamina.passes.te.te_fuse_epilogue import TeFuseEpiloguePass
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from lamina.passes.te.te_to_vec import TeToVecPass

pytest.importorskip("pyopencl")
TARGETS = ["cpu", "opencl:intel-gen9", "opencl:portable"]

HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
"""all there are"""


def floats() -> np.ndarray:
    """Numbers on both sides of, and just between, halves that are neighbours; and all halves."""
    finite = np.sort(HALVES[np.isfinite(HALVES)].astype(np.float32))
    between = (finite[1:] + finite[:-1]) / 2
    sides = [np.nextafter(between, np.float32(s) * np.inf) for s in (-1, 1)]
    ends = np.array([65504, 65519.996, 65520, 1e5, 3e38, 1e-8, 1e-45, np.inf], np.float32)
    found = np.concatenate([HALVES.astype(np.float32), between, *sides, ends, -ends])
    return np.pad(found, (0, -len(found) % 16)).astype(np.float32)


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def network(kernel: str, types: Sequence[str]) -> ModuleOp:
    """A network that calls @f, whose last argument is the result, once."""
    roles = [*(f'{{lamina.input = "{k}"}}' for k in range(len(types) - 1)), '{lamina.output = "y"}']
    args = ", ".join(f"%{k}: {t} {r}" for k, (t, r) in enumerate(zip(types, roles, strict=True)))
    values = ", ".join(f"%{k}" for k in range(len(types)))
    return parse(f"""{kernel}
    func.func @main({args}) attributes {{lamina.entry}} {{
      func.call @f({values}) : ({", ".join(types)}) -> ()
      func.return
    }}""")


def run(module: ModuleOp, target: str, *inputs: np.ndarray) -> np.ndarray:
    model = lamina.compile(module, target=target, cache=False, threads=1)
    return model.run({f"{k}": x for k, x in enumerate(inputs)})["y"]


def same(found: np.ndarray, expected: np.ndarray) -> None:
    """Bit for bit, but for what is in a NaN."""
    assert found.dtype == expected.dtype
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), ~number)
    bits = np.dtype(f"u{found.itemsize}")
    np.testing.assert_array_equal(found[number].view(bits), expected[number].view(bits))


LOADS = {
    "vector": "%v = vec.load %x[%i * 16] : memref<65536xf16> -> vector<16xf32>",
    "ragged": "%v = vec.load %x[%i * 11 + 3] : memref<65536xf16> -> vector<11xf32>",
    "odd": "%v = vec.load %x[%i * 16 + 1] : memref<65536xf16> -> vector<16xf32>",
    "strided": "%v = vec.load_strided %x[%i] stride 3 : memref<65536xf16> -> vector<16xf32>",
    "splat": "%v = vec.load_splat %x[%i * 7] : memref<65536xf16> -> vector<16xf32>",
    "gather": """%at = arith.constant dense<[0, 5, 2, 9, 1, 3, 8, 7, 6, 4, 10, 12, 11, 15, 14, 13]>
        : vector<16xi32>
      %v = vec.gather %x[%i * 3] at %at : memref<65536xf16>, vector<16xi32> -> vector<16xf32>""",
    "run": """%a, %b, %c, %v = vec.load_run %x[%i * 16] : memref<65536xf16>
        -> vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>""",
}


ON_ANY = [(kind, target) for kind in LOADS for target in TARGETS if kind != "gather"]


@pytest.mark.parametrize(("kind", "target"), [*ON_ANY, ("gather", "cpu")])
def test_what_is_loaded_is_exact(kind: str, target: str) -> None:
    lanes = 11 if kind == "ragged" else 16
    kernel = f"""
    func.func private @f(%x: memref<65536xf16>, %y: memref<4093x{lanes}xf32>) {{
      loop.for %i < 4093 parallel {{
        {LOADS[kind]}
        vec.store %v, %y[%i, 0] : vector<{lanes}xf32>, memref<4093x{lanes}xf32>
        loop.yield
      }}
      func.return
    }}"""
    module = network(kernel, ["memref<65536xf16>", f"memref<4093x{lanes}xf32>"])
    k, lane = np.arange(4093)[:, None], np.arange(lanes)
    gathered = np.array([0, 5, 2, 9, 1, 3, 8, 7, 6, 4, 10, 12, 11, 15, 14, 13])
    at = {
        "vector": k * 16 + lane,
        "ragged": k * 11 + 3 + lane,
        "odd": k * 16 + 1 + lane,
        "strided": k + 3 * lane,
        "splat": k * 7 + 0 * lane,
        "gather": k * 3 + gathered,
        "run": (k + 3) * 16 + lane,
    }[kind]
    expected = HALVES.astype(np.float32)[at]
    same(run(module, target, HALVES), expected)
    if target == "cpu":
        same(interpreters.call(module, "f", [HALVES])[0], expected)


STORES = {
    "vector": "vec.store %v, %y[%i * 16] : vector<16xf32>, memref<{n}xf16>",
    "odd": "vec.store %v, %y[%i * 16 + 1] : vector<16xf32>, memref<{n}xf16>",
    "strided": "vec.store_strided %v, %y[%i] stride 1000 : vector<16xf32>, memref<{n}xf16>",
    "same": "vec.store %s, %y[%i * 16] : vector<16xf32>, memref<{n}xf16>",
    "scalar": "vec.store %one, %y[%i * 16] : f32, memref<{n}xf16>",
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", STORES)
def test_what_is_stored_is_the_nearest_half(kind: str, target: str) -> None:
    """Ties to even, denormals kept, infinite beyond 65504."""
    x = floats()
    steps = 1000 if kind == "strided" else len(x) // 16
    size = len(x) + 16
    kernel = f"""
    func.func private @f(%x: memref<{len(x)}xf32>, %y: memref<{size}xf16>) {{
      loop.for %i < {steps} parallel {{
        %v = vec.load %x[%i * 16] : memref<{len(x)}xf32> -> vector<16xf32>
        %s = vec.load_splat %x[%i * 16 + 5] : memref<{len(x)}xf32> -> vector<16xf32>
        %one = vec.load %x[%i * 16 + 7] : memref<{len(x)}xf32> -> f32
        {STORES[kind].format(n=size)}
        loop.yield
      }}
      func.return
    }}"""
    module = network(kernel, [f"memref<{len(x)}xf32>", f"memref<{size}xf16>"])
    with np.errstate(over="ignore"):
        halves = x.astype(np.float16).reshape(-1, 16)
    found = run(module, target, x)
    interpreted = interpreters.call(module, "f", [x])[0] if target == "cpu" else found
    rows, expected = {
        "vector": (lambda y: y[: len(x)].reshape(-1, 16), halves),
        "odd": (lambda y: y[1 : len(x) + 1].reshape(-1, 16), halves),
        "strided": (lambda y: y[:16000].reshape(16, 1000).T, halves[:1000]),
        "same": (lambda y: y[: len(x)].reshape(-1, 16), np.repeat(halves[:, 5:6], 16, 1)),
        "scalar": (lambda y: y[: len(x) : 16, None], halves[:, 7:8]),
    }[kind]
    for y in (found, interpreted):
        same(rows(y), expected)


SUM = """
func.func private @f(%x: memref<{n}x7xf16>, %w: memref<7x{m}xf16>, %r: memref<{n}x{m}xf16>,
                     %y: memref<{n}x{m}xf16>) {{
  te.compute axes(i: {n}, o: {m}, reduce k: 7) ins(%x[i, k], %w[k, o]) extras(%r[i, o])
  out(%y[i, o]) init 0.0 : f32 {schedule}
  : memref<{n}x7xf16>, memref<7x{m}xf16>, memref<{n}x{m}xf16>, memref<{n}x{m}xf16>
  (%a: f32, %b: f32, %acc: f32) {{
    %s = math.fma %a, %b, %acc : f32
    te.yield %s : f32
  }} epilogue (%v: f32, %c: f32) {{
    %t = arith.addf %v, %c : f32
    te.yield %t : f32
  }}
  func.return
}}"""


def operands(n: int, m: int) -> list[np.ndarray]:
    """Whose sums are rounded, are too large, or denormal."""
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, 7)) * 10.0 ** rng.integers(-5, 5, (n, 1))
    return [v.astype(np.float16) for v in (x, rng.standard_normal((7, m)), np.zeros((n, m)))]


@pytest.mark.parametrize(("n", "m"), [(3, 16), (5, 21), (2, 64), (9, 1)])
def test_sums_of_halves_are_rounded_once(n: int, m: int) -> None:
    x, w, r = operands(n, m)
    r[0] = np.float16(6e-8)
    expected = np.zeros((n, m), np.float32)
    for k in range(7):  # exact products, as of a fused multiply-add
        product = x[:, k : k + 1].astype(np.float64) * w[k].astype(np.float64)
        expected = (expected + product).astype(np.float32)
    with np.errstate(over="ignore"):
        expected = (expected + r.astype(np.float32)).astype(np.float16)
    types = [f"memref<{s}xf16>" for s in (f"{n}x7", f"7x{m}", f"{n}x{m}", f"{n}x{m}")]
    module = network(SUM.format(n=n, m=m, schedule=""), types)
    same(interpreters.call(module, "f", [x, w, r])[0], expected)
    for target in TARGETS:
        same(run(module, target, x, w, r), expected)
    lowered = network(SUM.format(n=n, m=m, schedule="schedule [vector o]"), types)
    if m > 1:
        for p in (TeSchedulePass(), TeToLoopsPass(), TeToVecPass()):
            p.apply(new_context(), lowered)
        lowered.verify()
        same(interpreters.call(lowered, "f", [x, w, r])[0], expected)


def test_numbers_outside_of_a_buffer_are_no_halves() -> None:
    text = """
    func.func @f(%x: memref<4xf16>, %y: memref<6xf32>) {
      te.compute axes(i: 6) ins(%x[i - 1] pad -1.0e30) out(%y[i]) init 0.0 : f32
      : memref<4xf16>, memref<6xf32> (%a: f32, %acc: f32) { te.yield %a : f32 }
      func.return
    }"""
    x = np.array([1, 2, 3, 4], np.float16)
    expected = np.array([-1e30, 1, 2, 3, 4, -1e30], np.float32)
    same(interpreters.call(parse(text), "f", [x])[0], expected)


def test_what_is_rounded_between_two_ops_stays_so() -> None:
    text = """
    func.func @f(%x: memref<4xf32>, %y: memref<4xf32>) {{
      %t = memref.alloc() : memref<4x{0}>
      te.compute axes(i: 4) ins(%x[i]) out(%t[i]) init 0.0 : f32
      : memref<4xf32>, memref<4x{0}> (%a: f32, %acc: f32) {{ te.yield %a : f32 }}
      te.compute axes(i: 4) ins(%t[i]) out(%y[i]) init 0.0 : f32
      : memref<4x{0}>, memref<4xf32> (%a: f32, %acc: f32) {{ te.yield %a : f32 }}
      func.return
    }}"""
    x = np.array([1e-30, 0.1, 2049, 1e30], np.float32)
    for element, computes in (("f32", 1), ("f16", 2)):
        module = parse(text.format(element))
        (before,) = interpreters.call(module, "f", [x])
        TeFuseEpiloguePass().apply(new_context(), module)
        assert str(module).count("te.compute") == computes
        np.testing.assert_array_equal(interpreters.call(module, "f", [x])[0], before)
