"""Loop passes keep what a module computes, bit for bit, and refuse where they cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import PassFailedException

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from tests.unit.rewriting import parse, rewrite

CONTRACTION = """
func.func @f(%x: memref<6x5xf32>, %w: memref<5x32xf32>, %y: memref<6x32xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  loop.for %i < 6, %j < 2 {
    %r = loop.for %k < 5 iter(%acc = %zero) : vector<16xf32> {
      %b = vec.load %w[%k, %j * 16] : memref<5x32xf32> -> vector<16xf32>
      %a = vec.load_splat %x[%i, %k] : memref<6x5xf32> -> vector<16xf32>
      %s = math.fma %a, %b, %acc : vector<16xf32>
      loop.yield %s : vector<16xf32>
    }
    vec.store %r, %y[%i, %j * 16] : vector<16xf32>, memref<6x32xf32>
  }
  func.return
}
"""


def run(module: ModuleOp, *inputs: np.ndarray) -> list[np.ndarray]:
    return interpreters.call(module, "f", [x.copy() for x in inputs])


def inputs(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


@pytest.mark.parametrize(
    "pipeline",
    [
        "loop-tile{index=i by=4}",
        "loop-tile{index=k by=2}",
        "loop-tile{index=k by=5}",
        "loop-interchange{order=j,i}",
        "loop-unroll-and-jam{index=i}",
        "loop-unroll{index=k}",
        "loop-tile{index=i by=4},loop-unroll-and-jam{index=ii},loop-sink-loads",
        "loop-tile{index=k by=2},loop-unroll{index=ki},loop-merge-nests",
        "loop-outline-parallel",
    ],
)
def test_contraction_computes_the_same(pipeline: str) -> None:
    x, w = inputs((6, 5), (5, 32))
    (before,) = run(parse(CONTRACTION), x, w)
    assert np.isfinite(before).all()
    (after,) = run(rewrite(CONTRACTION, pipeline), x, w)
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    "pipeline",
    [
        "loop-outline-parallel",
        "loop-tile{index=i by=4},loop-unroll-and-jam{index=ii},loop-sink-loads",
        "loop-interchange{order=j,i},loop-unroll{index=i}",
    ],
)
def test_native_code_computes_the_same(pipeline: str) -> None:
    text = CONTRACTION.replace("%j < 2 {", "%j < 2 parallel {")
    before, after = (
        native(module, describe("cpu"))["f"] for module in (parse(text), rewrite(text, pipeline))
    )
    x, w = inputs((6, 5), (5, 32))
    results = [np.full((6, 32), np.nan, np.float32) for _ in range(2)]
    before(x, w, results[0])
    after(x, w, results[1])
    np.testing.assert_array_equal(results[1], results[0])
    assert np.isfinite(results[0]).all()


def test_register_tile_from_loops() -> None:
    """Tile, jam and sink: four accumulators in one loop, every load before its first use."""
    tile = "loop-tile{index=i by=2},loop-unroll-and-jam{index=ii},loop-unroll-and-jam{index=j}"
    module = rewrite(CONTRACTION, f"{tile},loop-sink-loads")
    text = str(module)
    assert "loop.for %io < 3 {" in text
    body = text[text.index("loop.for %k") : text.index("loop.yield")]
    ops = [line.split(" = ")[1].split(" ")[0] for line in body.splitlines()[1:-1]]
    load, splat, fma = "vec.load", "vec.load_splat", "math.fma"
    assert sorted(ops) == sorted([load] * 2 + [splat] * 2 + [fma] * 4)
    assert ops.index(fma) == 2


def test_outlined_step_is_called_for_every_index() -> None:
    text = CONTRACTION.replace("%j < 2 {", "%j < 2 parallel {")
    x, w = inputs((6, 5), (5, 32))
    module = rewrite(text, "loop-outline-parallel")
    assert "func.call @f_step(%i, %j, %w, %x, %y)" in str(module)
    np.testing.assert_array_equal(run(module, x, w)[0], run(parse(text), x, w)[0])


NAMES = ("h", "i", "j")


@st.composite
def accesses(draw: st.DrawFn) -> str:
    """A linear index below 64: 5 + 3 * (6 + 6 + 6) + 3 at most, with 4 lanes."""
    terms = [f"%{n} * {c}" for n in NAMES if (c := draw(st.integers(0, 6)))]
    return " + ".join([*terms, str(draw(st.integers(0, 2)))])


@st.composite
def nests(draw: st.DrawFn) -> str:
    """A nest whose iterations may well depend on each other."""
    extents = ", ".join(f"%{n} < {draw(st.integers(1, 4))}" for n in NAMES)
    load, store = draw(accesses()), draw(accesses())
    kind = draw(st.sampled_from(["f32", "vector<4xf32>"]))
    stored = load if draw(st.booleans()) else store
    return f"""
    func.func @f(%x: memref<64xf32>, %y: memref<64xf32>) {{
      %c = arith.constant {"0.5" if kind == "f32" else "dense<0.5>"} : {kind}
      loop.for {extents} {{
        %a = vec.load %y[{load}] : memref<64xf32> -> {kind}
        %b = vec.load %x[{store}] : memref<64xf32> -> {kind}
        %s = math.fma %a, %c, %b : {kind}
        vec.store %s, %y[{stored}] : {kind}, memref<64xf32>
      }}
      func.return
    }}"""


PIPELINES = st.one_of(
    st.permutations(NAMES).map(lambda order: f"loop-interchange{{order={','.join(order)}}}"),
    st.sampled_from(NAMES).map(lambda n: f"loop-unroll-and-jam{{index={n}}}"),
    st.tuples(st.sampled_from(NAMES), st.integers(1, 4)).map(
        lambda t: f"loop-tile{{index={t[0]} by={t[1]}}}"
    ),
    st.just("loop-unroll{index=j}"),
)


@settings(max_examples=300, deadline=None)
@given(text=nests(), pipeline=PIPELINES)
def test_what_is_not_refused_computes_the_same(text: str, pipeline: str) -> None:
    x, y = inputs((64,), (64,))
    try:
        module = rewrite(text, pipeline)
    except PassFailedException:
        return
    (before,) = interpreters.call(parse(text), "f", [x], [y.copy()])
    (after,) = interpreters.call(module, "f", [x], [y.copy()])
    np.testing.assert_array_equal(after, before)


def nest(extents: str, index: str) -> str:
    return f"""
    func.func @f(%v: f32, %y: memref<4x8x64xf32>) {{
      loop.for {extents} {{
        vec.store %v, %y[{index}] : f32, memref<4x8x64xf32>
      }}
      func.return
    }}"""


@pytest.mark.parametrize(
    ("extents", "index"),
    [
        ("%h < 4, %i < 8, %j < 64", "%h, %i, %j"),
        ("%h < 4, %i < 8, %j < 4", "0, %i, %h * 16 + %j"),
        ("%h < 3, %i < 2, %j < 2", "%h + 1, %i * 4 + %j * 2, 5"),
        ("%h < 4, %i < 8, %j < 64", "%h, (%j + %i) floordiv 64, %j"),
    ],
)
def test_independence_is_seen(extents: str, index: str) -> None:
    rewrite(nest(extents, index), "loop-interchange{order=h,j,i}")
