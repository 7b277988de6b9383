"""Passes on te keep what the reference interpreter computes, on many small tensor expressions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, math, memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.passes import ModulePass

from lamina import interpreters
from lamina.dialects import int8, loop, te, vector
from lamina.passes.te.te_fuse_epilogue import TeFuseEpiloguePass
from lamina.passes.te.te_fuse_loops import TeFuseLoopsPass
from lamina.passes.te.te_peel_padding import TePeelPaddingPass
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_simplify import TeSimplifyPass

SUM = """
  (%a: f32, %b: f32, %acc: f32) {
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %acc, %p : f32
    te.yield %s : f32
  }"""
MAX = """
  (%a: f32, %acc: f32) {
    %m = arith.maximumf %acc, %a : f32
    te.yield %m : f32
  }"""


def parse(text: str) -> ModuleOp:
    context = Context()
    for dialect in (
        arith.Arith, builtin.Builtin, func.Func, math.Math, memref.MemRef,
        int8.Int8, loop.Loop, te.Te, vector.Vec,
    ):  # fmt: skip
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def run(module: ModuleOp) -> list[np.ndarray]:
    """The outputs of @f for inputs that are small integers: sums are exact in any order."""
    f = next(op for op in module.ops if isinstance(op, func.FuncOp))
    *inputs, _ = (te.memref_type(arg).get_shape() for arg in f.args)
    rng = np.random.default_rng(0)
    return interpreters.call(
        module, "f", [rng.integers(-8, 8, shape).astype(np.float32) for shape in inputs]
    )


def check(text: str, *passes: ModulePass) -> ModuleOp:
    """Apply the passes; the outputs must not change in a single bit."""
    module = parse(text)
    before = run(module)
    for p in passes:
        p.apply(Context(), module)
        module.verify()
    for a, b in zip(before, run(module), strict=True):
        np.testing.assert_array_equal(a, b)
    return module


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int, int, int, int, int]:
    """Length of the input, stride, taps, dilation, padding before; and how many outputs."""
    n, stride, taps = draw(st.integers(1, 9)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    dilation, before = draw(st.integers(1, 3)), draw(st.integers(0, 8))
    return n, stride, taps, dilation, before, draw(st.integers(1, 8))


@settings(deadline=None, max_examples=60)
@given(windows(), windows())
def test_peeled_sums_read_no_padding(h: tuple[int, ...], w: tuple[int, ...]) -> None:
    (n, s, k, d, b, m), (n2, s2, k2, d2, b2, m2) = h, w
    module = check(
        f"""
func.func @f(%x: memref<{n}x{n2}xf32>, %w: memref<{k}x{k2}xf32>, %y: memref<{m}x{m2}xf32>) {{
  te.compute axes(i: {m}, j: {m2}, reduce k: {k}, reduce l: {k2})
    ins(%x[i * {s} + k * {d} - {b}, j * {s2} + l * {d2} - {b2}] pad 0.0, %w[k, l]) out(%y[i, j])
    init 2.0 : f32 : memref<{n}x{n2}xf32>, memref<{k}x{k2}xf32>, memref<{m}x{m2}xf32> {SUM}
  func.return
}}""",
        TePeelPaddingPass(),
    )
    assert "pad" not in str(module)


@settings(deadline=None, max_examples=30)
@given(windows())
def test_peeled_maxima_read_no_padding(h: tuple[int, ...]) -> None:
    n, s, k, d, b, m = h
    module = check(
        f"""
func.func @f(%x: memref<{n}xf32>, %y: memref<{m}xf32>) {{
  te.compute axes(i: {m}, reduce k: {k}) ins(%x[i * {s} + k * {d} - {b}] pad -100.0) out(%y[i])
    init -100.0 : f32 : memref<{n}xf32>, memref<{m}xf32> {MAX}
  func.return
}}""",
        TePeelPaddingPass(),
    )
    assert "pad" not in str(module)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 9), st.integers(1, 12), st.integers(-3, 12), st.sampled_from((1, 2, -1)))
def test_peeled_copies_write_the_padding(n: int, m: int, shift: int, step: int) -> None:
    module = check(
        f"""
func.func @f(%x: memref<{n}xf32>, %r: memref<{n}xf32>, %y: memref<{m}xf32>) {{
  te.compute axes(i: {m}) ins(%x[i * {step} - {shift}] pad 7.0) extras(%r[i - {shift}] pad -5.0)
    out(%y[i]) init 0.0 : f32 : memref<{n}xf32>, memref<{n}xf32>, memref<{m}xf32>
    (%a: f32, %acc: f32) {{ te.yield %a : f32 }}
    epilogue (%v: f32, %c: f32) {{ %s = arith.addf %v, %c : f32  te.yield %s : f32 }}
  func.return
}}""",
        TePeelPaddingPass(),
    )
    assert "pad" not in str(module)


def contraction(schedule: str, c: int = 20, i: int = 7) -> str:
    blocks = -(-c // 4)
    x, w, y = f"memref<{blocks}x{i + 2}x4xf32>", f"memref<{blocks}x3x4xf32>", f"memref<{i}x5xf32>"
    return f"""
func.func @f(%x: {x}, %w: {w}, %y: {y}) {{
  te.compute axes(i: {i}, o: 5, reduce c: {c}, reduce k: 3)
    ins(%x[c floordiv 4, i + k, c mod 4], %w[c floordiv 4, k, c mod 4]) out(%y[i, o]) init 1.0 : f32
    schedule [{schedule}]
    : {x}, {w}, {y} {SUM}
  func.return
}}"""


@pytest.mark.parametrize("steps", [None, 1, 3])
@pytest.mark.parametrize(
    "schedule",
    [
        "split c 4 co ci, split i 3 io ii, order io o co k ci ii, unroll ii, vector o",
        "split c 3 co ci, split i 4 io ii, split ii 3 a b, order b k ci a co io o, parallel b",
        "split o 2 p q, split i 100 io ii, order q p ii io k c, vector q, unroll p k",
    ],
)
def test_scheduled_sums_are_the_same(schedule: str, steps: int | None) -> None:
    check(contraction(schedule), TeSchedulePass(steps))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_any_split_is_the_same(c: int, i: int, by: int, simplified: bool) -> None:
    text = contraction(f"split c {by} co ci, split i {by} io ii", c, i)
    check(text, *([TeSimplifyPass()] if simplified else []), TeSchedulePass(), TeSimplifyPass())


def chain(between: str, axes: str, read: str, write: str) -> str:
    return f"""
func.func @f(%x: memref<6x8xf32>, %w: memref<3xf32>, %r: memref<4x8xf32>, %y: memref<4x8xf32>) {{
  %t = memref.alloc() : memref<{between}xf32>
  te.compute axes(i: 4, j: 8, reduce k: 3) ins(%x[i + k, j], %w[k]) out(%t{write}) init 0.0 : f32
    : memref<6x8xf32>, memref<3xf32>, memref<{between}xf32> {SUM}
  te.compute axes({axes}) ins(%t{read}, %r{read if between == "4x8" else "[p, q * 2 + v]"})
    out(%y{read if between == "4x8" else "[p, q * 2 + v]"}) init 1.0 : f32
    : memref<{between}xf32>, memref<4x8xf32>, memref<4x8xf32>
    (%a: f32, %b: f32, %acc: f32) {{
      %s = arith.subf %a, %b : f32
      %n = arith.addf %s, %acc : f32
      te.yield %n : f32
    }}
  func.return
}}"""


@pytest.mark.parametrize(
    "text",
    [
        chain("4x8", "p: 4, q: 8", "[p, q]", "[i, j]"),
        chain("4x8", "q: 8, p: 4", "[p, q]", "[i, j]"),
        chain("2x4x4", "p: 4, q: 4, v: 2", "[v, q, p]", "[j mod 2, j floordiv 2, i]"),
    ],
)
def test_fused_consumers_compute_the_same(text: str) -> None:
    module = check(text, TeFuseEpiloguePass())
    assert str(module).count("te.compute") == 1


def test_fused_loops_compute_the_same() -> None:
    module = check(chain("4x8", "p: 4, q: 8", "[p, q]", "[i, j]"), TeFuseLoopsPass())
    assert str(module).count("loop.for") == 2


INDICES = ("{0}", "{0} + 1", "{0} * 2", "{0} * 2 + 1", "{1}", "{0} floordiv 2", "{0} mod 2")


@st.composite
def neighbours(draw: st.DrawFn) -> str:
    """One op writes rows of a local buffer, the next reads some elements of it, maybe others."""
    extents = st.integers(1, 4)
    i, j, p, q = (draw(extents) for _ in range(4))
    write, third = draw(
        st.sampled_from(((("{0}", "{1}"), "0"), (("{0} * 2", "{1} + 1"), "{0} floordiv 2")))
    )
    read = draw(st.one_of(st.just(write), st.tuples(*[st.sampled_from(INDICES)] * 2)))
    if draw(st.booleans()):
        p, q = i, j
    reduce = draw(st.booleans())

    def index(two: tuple[str, str], *names: str) -> str:
        return ", ".join((*two, third, "0")).format(*names)

    return f"""
func.func @f(%x: memref<4x4xf32>, %y: memref<4x4xf32>) {{
  %t = memref.alloc() : memref<10x10x2x1xf32>
  te.compute axes(i: {i}, j: {j}) ins(%x[i, j]) out(%t[{index(write, "i", "j")}]) init 0.0 : f32
    : memref<4x4xf32>, memref<10x10x2x1xf32>
    (%a: f32, %acc: f32) {{ %s = arith.addf %a, %a : f32  te.yield %s : f32 }}
  te.compute axes(p: {p}, {"reduce " * reduce}q: {q}) ins(%t[{index(read, "p", "q")}])
    out(%y[p, {"0" if reduce else "q"}]) init 1.0 : f32 : memref<10x10x2x1xf32>, memref<4x4xf32>
    (%a: f32, %acc: f32) {{ %s = arith.addf %acc, %a : f32  te.yield %s : f32 }}
  func.return
}}"""


@settings(deadline=None, max_examples=150)
@given(neighbours())
def test_whatever_is_fused_computes_the_same(text: str) -> None:
    check(text, TeFuseEpiloguePass())
    check(text, TeFuseLoopsPass())
