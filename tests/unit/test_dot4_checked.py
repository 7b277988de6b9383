"""
Sums of products that are checked in each step of a reduction: the same 32 bits as the exact sum,
whatever the weights are, and where they are large.
"""

import logging

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.cpu.features import missing_features, required_features
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.cpu.work import flops_of
from lamina.backends.machine import describe
from lamina.dialects.int8 import Dot4Op, MaddubsOp
from lamina.interpreters.int8 import maddubs
from lamina.passes.int8.int8_bound_weights import bound
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass
from tests.unit.rewriting import parse, rewrite

STEPS = 9
TARGETS = ["cpu:skx", "cpu:knl", "cpu:haswell", "cpu:nehalem"]
HERE = [t for t in TARGETS if not missing_features(required_features(describe(t)))]
# rows and outputs of a register tile, and how long a vector is
TILES = [(1, 16, 16), (3, 32, 16), (5, 24, 8), (2, 13, 13), (4, 8, 4)]


def tile(rows: int, outputs: int, width: int) -> ModuleOp:
    """y[i, o] = the sum over k of x[i, k] * w[k, o], in one register tile, on vec."""
    x, w = f"memref<{rows}x{4 * STEPS}xui8>", f"memref<{STEPS}x{outputs}x4xi8>"
    y = f"memref<{rows}x{outputs}xi32>"
    text = f"""
    func.func @f(%x: {x}, %w: {w}, %y: {y}) {{
      te.compute
        axes(i: {rows}, o: {outputs}, reduce k: {4 * STEPS})
        ins(%x[i, k], %w[k floordiv 4, o, k mod 4]) out(%y[i, o])
        init 0 : i32
        schedule [split k 4 kb kg, dot4 kg, split o {width} ob ov, order kb i ob ov,
                  unroll i, unroll ob, vector ov]
        attributes {{lamina.most_b = 98 : i64}}
        : {x}, {w}, {y} (%a: i8, %b: i8, %acc: i32) {{
          %u = arith.extui %a : i8 to i32
          %s = arith.extsi %b : i8 to i32
          %p = arith.muli %u, %s : i32
          %r = arith.addi %acc, %p : i32
          te.yield %r : i32
        }}
      func.return
    }}"""
    return rewrite(text, "te-schedule,te-to-loops,te-to-vec")


def weights(outputs: int) -> list[np.ndarray]:
    """Small ones, with a large pair nowhere, at each end, exactly at the limit, one past it, ..."""
    rng = np.random.default_rng(0)
    small = rng.integers(-64, 65, (STEPS, outputs, 4)).astype(np.int8)
    found = [small]
    for step, lane in ((0, 0), (STEPS - 1, outputs - 1), (STEPS - 1, 0), (4, outputs // 2)):
        for pair in ((127, 1), (127, 2), (-128, 0), (-128, -1), (-128, 127), (127, 127)):
            for place in (0, 2):
                w = small.copy()
                w[step, lane, place : place + 2] = pair
                found.append(w)
    ends = rng.choice(np.array([-128, -127, -64, 0, 64, 127], np.int8), (STEPS, outputs, 4))
    return [*found, ends, np.full_like(small, -128), np.full_like(small, 127)]


def images(rows: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    random = rng.integers(0, 256, (rows, 4 * STEPS)).astype(np.uint8)
    return [random, np.full_like(random, 255), np.where(random < 128, 0, 255).astype(np.uint8)]


def exact(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    groups = x.reshape(len(x), STEPS, 4).astype(np.int32)
    return np.einsum("ikg,kog->io", groups, w.astype(np.int32), dtype=np.int32)


@pytest.mark.parametrize(("rows", "outputs", "width"), TILES)
@pytest.mark.parametrize("target", HERE)
def test_a_tile_is_exact_for_any_weights(target: str, rows: int, outputs: int, width: int) -> None:
    module = tile(rows, outputs, width)
    Int8LowerDot4Pass(target, "checked").apply(Context(), module)
    module.verify()
    assert not any(isinstance(op, Dot4Op) for op in module.walk())
    code = native(module, describe(target))["f"]
    for w in weights(outputs):
        for x in images(rows):
            y = np.full((rows, outputs), 77, np.int32)
            code(x, w, y)
            np.testing.assert_array_equal(y, exact(x, w))


@pytest.mark.parametrize("target", ["cpu:skx", "cpu:haswell"])
def test_the_interpreter_agrees(target: str) -> None:
    module = tile(2, 32, 16)
    Int8LowerDot4Pass(target).apply(Context(), module)
    for w in weights(32)[::7]:
        for x in images(2):
            (y,) = interpreters.call(module, "f", (x, w))
            np.testing.assert_array_equal(y, exact(x, w))


def work(module: ModuleOp) -> list[int]:
    return [flops_of(f) for f in module.ops if isinstance(f, FuncOp)]


def test_one_look_at_a_step_serves_all_rows() -> None:
    module = tile(3, 32, 16)
    before = work(module)
    Int8LowerDot4Pass("cpu:skx").apply(Context(), module)
    (choice,) = [op for op in module.walk() if isinstance(op, scf.IfOp)]
    assert len(choice.output) == 3 * 2
    looks = [
        op for op in module.walk() if isinstance(op, MaddubsOp) and op.parent_op() is not choice
    ]
    assert len(looks) == 2
    assert work(module) == before  # looks are no work, one branch is taken


def test_a_step_ends_where_a_sum_is_used() -> None:
    dot4 = ": vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>"
    module = parse(f"""
func.func @f(%c: memref<8xi32>, %a: memref<3x8x4xi8>, %b: memref<3x8x4xi8>, %y: memref<2x8xi32>) {{
  %x = vec.load %c[0] : memref<8xi32> -> vector<8xi32>
  %p = vec.load %a[0, 0, 0] : memref<3x8x4xi8> -> vector<8x4xi8>
  %q = vec.load %b[0, 0, 0] : memref<3x8x4xi8> -> vector<8x4xi8>
  %r = int8.dot4 %x, %p, %q {dot4}
  vec.store %r, %y[0, 0] : vector<8xi32>, memref<2x8xi32>
  %s = vec.load %a[1, 0, 0] : memref<3x8x4xi8> -> vector<8x4xi8>
  %t = int8.dot4 %x, %s, %q {dot4}
  %u = vec.load %b[2, 0, 0] : memref<3x8x4xi8> -> vector<8x4xi8>
  %v = int8.dot4 %t, %p, %u {dot4}
  vec.store %v, %y[1, 0] : vector<8xi32>, memref<2x8xi32>
  func.return
}}""")
    Int8LowerDot4Pass("cpu:haswell", "checked", remarks=False).apply(Context(), module)
    module.verify()
    assert sum(isinstance(op, scf.IfOp) for op in module.walk()) == 3
    rng = np.random.default_rng(2)
    c = rng.integers(-(2**31), 2**31, 8).astype(np.int32)
    a, b = (rng.integers(-128, 128, (3, 8, 4)).astype(np.int8) for _ in range(2))
    y = interpreters.call(module, "f", (c, a, b), [np.zeros((2, 8), np.int32)])[0]
    products = np.einsum("jlg,klg->jkl", a.view(np.uint8).astype(np.int32), b.astype(np.int32))
    np.testing.assert_array_equal(y[0], c + products[0, 0])
    np.testing.assert_array_equal(y[1], c + products[1, 0] + products[0, 2])
    if "cpu:haswell" in HERE:
        z = np.zeros_like(y)
        native(module, describe("cpu:haswell"))["f"](c, a, b, z)
        np.testing.assert_array_equal(y, z)


def test_llvm_is_told_which_branch_is_seldom_taken() -> None:
    module = tile(1, 16, 16)
    Int8LowerDot4Pass("cpu:skx").apply(Context(), module)
    text = print_module(module, describe("cpu:skx"))["f"]
    assert ", !prof !0" in text
    assert '!0 = !{!"branch_weights", i32 1, i32 50}' in text


def test_two_products_fit_exactly_where_the_sum_of_two_bytes_is_small() -> None:
    """All pairs of signed bytes, with the unsigned ones that go furthest."""
    b = np.array(np.meshgrid(*[np.arange(-128, 128)] * 2)).reshape(2, -1).T.astype(np.int8)
    ends = np.array([(0, 0), (0, 255), (255, 0), (255, 255)], np.uint8)
    fits = np.ones(len(b), bool)
    for a in ends:
        sums = b.astype(np.int32) @ a.astype(np.int32)
        fits &= maddubs(np.broadcast_to(a, b.shape).copy(), b)[:, 0] == sums
    np.testing.assert_array_equal(fits, np.abs(b.astype(np.int32).sum(1)) <= 128)


@pytest.mark.parametrize(
    ("pair", "count", "found"),
    [
        ((64, 64), 50, ("lamina.abs_b", 64)),
        ((127, 1), 50, ("lamina.pair_b", 128)),
        ((127, -128), 50, ("lamina.pair_b", 128)),
        ((127, 2), 50, ("lamina.most_b", 98)),
        ((-128, -1), 50, ("lamina.most_b", 98)),
        ((-128, -1), 49, None),
    ],
)
def test_a_large_pair_in_one_of_many_groups(
    pair: tuple[int, int], count: int, found: tuple[str, int] | None
) -> None:
    w = np.zeros((1, 4 * count, 1, 1), np.int8)
    w[0, 6:8, 0, 0] = pair
    assert bound(w) == found
    assert bound(w[:, :, 0, 0]) == found


def test_nothing_is_said_of_other_machines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="lamina"):
        for target in ("cpu:cascadelake", "cpu:x86-64"):
            Int8LowerDot4Pass(target).apply(Context(), tile(1, 16, 16))
    assert not caplog.records
