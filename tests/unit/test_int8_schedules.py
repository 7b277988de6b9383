"""Schedules chosen for products of bytes: dot products of groups, and what NumPy computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.machine import describe
from lamina.dialects.int8 import ABS_B, Dot4Op
from lamina.dialects.loop import ForOp
from lamina.interpreters.int8 import requantize
from lamina.options import Options
from lamina.passes.pipelines import default
from lamina.passes.te import te_block_together
from lamina.passes.te._candidates_groups import in_groups
from lamina.passes.te._directives import computes
from lamina.passes.te._nest_of import nest_of
from lamina.passes.te._together import Stage
from lamina.passes.te._together_cost import Stages
from lamina.passes.te.te_block_together import PREFIX, TeBlockTogetherPass
from lamina.passes.te.te_choose_schedules import choose
from lamina.passes.te.te_contract_buffers import TeContractBuffersPass
from lamina.passes.te.te_fuse_loops import TeFuseLoopsPass
from lamina.passes.te.te_simplify import TeSimplifyPass
from tests.unit.shares import however_small
from tests.unit.te_formulas import only_compute, parse

TARGETS = ["cpu", "cpu:alderlake", "cpu:skylake-avx512", "cpu:haswell", "cpu:x86-64"]
RUN_HERE = ["cpu", "cpu:skylake-avx512", "cpu:haswell", "cpu:nehalem"]
STEPS = ("te-", "loop-", "vec-", "int8-expand", "int8-group", "int8-lower")
BYTES = {"ui8": (0, 255, np.uint8), "i8": (-128, 127, np.int8)}
EXTENSIONS = {"ui8": "extui", "i8": "extsi"}


@dataclass(frozen=True)
class Window:
    """A sum of products over a window of images of bytes, channels in blocks."""

    images: int
    sets: int
    """groups of channels that have nothing to do with each other"""
    inputs: int
    """channels of each of them; so are the outputs"""
    outputs: int
    size: tuple[int, int]
    window: int
    stride: int
    apart: int
    """steps between what a window sees"""
    block: int
    row: int
    """outputs side by side in weights"""
    signs: tuple[str, str] = ("ui8", "i8")
    zero: int = 3

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the images, the weights, the sums to begin with, scales and the result."""
        channels, results = self.sets * self.inputs, self.sets * self.outputs
        reach = self.apart * (self.window - 1) + 1
        around = [(n - 1) * self.stride + reach for n in self.size]
        b, w = self.block, self.window
        return [
            (self.images, -(-channels // b), *around, b),
            (self.sets, -(-self.outputs // self.row), -(-self.inputs // 4), w, w, self.row, 4),
            (results,),
            (results,),
            (self.images, -(-results // b), *self.size, b),
        ]

    def text(self) -> str:
        elements = (*self.signs, "i32", "f32", "ui8")
        types = [
            f"memref<{'x'.join(map(str, shape))}x{e}>"
            for shape, e in zip(self.shapes, elements, strict=True)
        ]
        arguments = ", ".join(f"%b{k}: {t}" for k, t in enumerate(types))
        h, w = self.size
        channel = f"g * {self.inputs} + i"
        result = f"g * {self.outputs} + o"
        rows = [f"{x} * {self.stride} + {p} * {self.apart}" for x, p in ("yp", "xq")]
        return f"""
        func.func @f({arguments}) {{
          te.compute axes(n: {self.images}, g: {self.sets}, o: {self.outputs}, y: {h}, x: {w},
            reduce i: {self.inputs}, reduce p: {self.window}, reduce q: {self.window})
          ins(%b0[n, ({channel}) floordiv {self.block}, {", ".join(rows)},
                  ({channel}) mod {self.block}],
              %b1[g, o floordiv {self.row}, i floordiv 4, p, q, o mod {self.row}, i mod 4])
          extras(%b2[{result}], %b3[{result}])
          out(%b4[n, ({result}) floordiv {self.block}, y, x, ({result}) mod {self.block}])
          init 0 : i32 : {", ".join(types)} (%a: i8, %c: i8, %acc: i32) {{
            %ax = arith.{EXTENSIONS[self.signs[0]]} %a : i8 to i32
            %cx = arith.{EXTENSIONS[self.signs[1]]} %c : i8 to i32
            %p0 = arith.muli %cx, %ax : i32
            %s = arith.addi %acc, %p0 : i32
            te.yield %s : i32
          }} epilogue (%v: i32, %d: i32, %f: f32) {{
            %t = arith.addi %v, %d : i32
            %r = int8.requantize %t by %f to <u8, 1.0, {self.zero}> : i32, f32
            te.yield %r : i8
          }}
          func.return
        }}"""

    def arrays(self, extreme: bool = False) -> list[np.ndarray]:
        """Random bytes; `extreme`: the largest and smallest only, and sums that wrap around."""
        rng = np.random.default_rng(len(str(self)))
        x, w = (
            rng.choice(np.array([low, high], t), shape)
            if extreme
            else rng.integers(low, high + 1, shape).astype(t)
            for (low, high, t), shape in zip(
                [BYTES[sign] for sign in self.signs], self.shapes[:2], strict=True
            )
        )
        most = 2**31 - 1 if extreme else 10**5
        bias = rng.integers(-most, most, self.shapes[2]).astype(np.int32)
        scale = (rng.random(self.shapes[3]) * 4e-2 / self.inputs).astype(np.float32)
        return [x, w, bias, scale]

    def wanted(self, arrays: list[np.ndarray]) -> np.ndarray:
        """The result by NumPy in 64 bits, then modulo 2**32; 77 where nothing is written."""
        x, w, bias, scale = arrays
        b, (h, v) = self.block, self.size
        images = x.transpose(0, 1, 4, 2, 3).reshape(self.images, -1, *x.shape[2:4]).astype(np.int64)
        weights = w.transpose(0, 1, 5, 2, 6, 3, 4).astype(np.int64)
        weights = weights.reshape(self.sets, -1, w.shape[2] * 4, self.window, self.window)
        y = np.full(self.shapes[4], 77, np.uint8)
        for g in range(self.sets):
            total = np.zeros((self.images, self.outputs, h, v), np.int64)
            of = slice(g * self.inputs, (g + 1) * self.inputs)
            for p, q in product(range(self.window), repeat=2):
                at = [slice(k * self.apart, None, self.stride) for k in (p, q)]
                seen = images[:, of, at[0], at[1]][..., :h, :v]
                taps = weights[g, : self.outputs, : self.inputs, p, q]
                total += np.einsum("nihw,oi->nohw", seen, taps)
            for o in range(self.outputs):
                k = g * self.outputs + o
                sums = ((total[:, o] + bias[k] + 2**31) % 2**32 - 2**31).astype(np.int32)
                y[:, k // b, :, :, k % b] = requantize(sums, scale[k], self.zero, np.uint8)
        return y


def lower(module: ModuleOp, target: str, threads: int = 1) -> ModuleOp:
    """The default pipeline from te on."""
    found = [p for p in default(target, Options(threads)) if p.name.startswith(STEPS)]
    with however_small():
        for p in found:
            p.apply(Context(), module)
            module.verify()
    return module


def check(f: Window, target: str, threads: int = 1) -> ModuleOp:
    """Machine code for random and for extreme numbers."""
    module = lower(parse(f.text()), target, threads)
    kernel = native(module, describe(target))["f"]
    for extreme in (False, True):
        arrays = f.arrays(extreme)
        wanted = f.wanted(arrays)
        y = np.full_like(wanted, 77)
        ThreadPool.shared(threads).call(lambda: kernel(*map(np.ascontiguousarray, arrays), y))  # noqa: B023
        np.testing.assert_array_equal(y, wanted, f.text())
    return module


def chosen(f: Window, target: str) -> str:
    module = parse(f.text())
    TeSimplifyPass().apply(Context(), module)
    return str(choose(only_compute(module), describe(target)))


PLAIN = Window(1, 1, 32, 32, (5, 9), 3, 1, 1, 16, 32)
windows = st.builds(
    Window,
    st.sampled_from([1, 1, 2]),
    st.sampled_from([1, 1, 2]),
    st.sampled_from([1, 3, 4, 6, 8, 12, 16, 20, 36, 64]),
    st.sampled_from([1, 5, 8, 16, 24, 32, 48]),
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 2),
    st.sampled_from([4, 8, 16, 64]),
    st.sampled_from([8, 16, 32]),
    st.sampled_from([("ui8", "i8"), ("ui8", "i8"), ("i8", "ui8"), ("i8", "i8"), ("ui8", "ui8")]),
    st.sampled_from([0, 3, 128, 255]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(windows, st.sampled_from(RUN_HERE), st.sampled_from([1, 1, 2]))
def test_any_window_of_bytes_computes_what_numpy_does(f: Window, target: str, threads: int) -> None:
    check(f, target, threads)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(windows, st.sampled_from(TARGETS))
def test_lowered_ir_means_the_same(f: Window, target: str) -> None:
    module = lower(parse(f.text()), target)
    arrays = f.arrays()
    (wanted,) = interpreters.call(parse(f.text()), "f", arrays)
    (found,) = interpreters.call(module, "f", arrays)
    np.testing.assert_array_equal(found, wanted, f.text())


@pytest.mark.parametrize(("target", "threads"), [*((t, 1) for t in RUN_HERE), ("cpu", 2)])
@pytest.mark.parametrize(
    "f",
    [
        PLAIN,
        Window(2, 1, 64, 48, (7, 7), 3, 2, 1, 16, 16),
        Window(1, 1, 20, 40, (3, 5), 3, 1, 2, 16, 8),  # whole groups, but the last block is cut
        Window(1, 1, 4, 32, (6, 6), 3, 2, 1, 4, 32),  # one group is all of the channels
        Window(1, 2, 16, 24, (5, 5), 1, 1, 1, 64, 8),
    ],
    ids=["plain", "strided", "ragged", "four", "sets"],
)
def test_bytes_in_groups_become_dot_products(f: Window, target: str, threads: int) -> None:
    assert "dot4" in chosen(f, target)
    check(f, target, threads)


@pytest.mark.parametrize(
    "f",
    [
        Window(1, 1, 6, 32, (5, 5), 3, 1, 1, 16, 32),
        Window(1, 1, 3, 16, (5, 5), 3, 1, 1, 4, 16),
        Window(1, 1, 16, 16, (3, 3), 3, 1, 1, 16, 16, ("i8", "i8")),
        Window(1, 1, 16, 16, (3, 3), 3, 1, 1, 16, 16, ("ui8", "ui8")),
    ],
    ids=["six channels", "three channels", "signed", "unsigned"],
)
def test_other_bytes_are_multiplied_one_by_one(f: Window) -> None:
    assert "dot4" not in chosen(f, "cpu:cascadelake")
    assert not any(isinstance(o, Dot4Op) for o in check(f, "cpu").walk())


def test_weights_that_lie_apart_are_no_groups() -> None:
    """Four neighbouring bytes of x meet weights of four rows."""
    text = """
    func.func @f(%x: memref<9x64xui8>, %w: memref<64x32xi8>, %y: memref<9x32xi32>) {
      te.compute axes(m: 9, n: 32, reduce k: 64) ins(%x[m, k], %w[k, n]) out(%y[m, n]) init 0 : i32
      : memref<9x64xui8>, memref<64x32xi8>, memref<9x32xi32> (%a: i8, %b: i8, %acc: i32) {
        %ax = arith.extui %a : i8 to i32
        %bx = arith.extsi %b : i8 to i32
        %p = arith.muli %ax, %bx : i32
        %s = arith.addi %acc, %p : i32
        te.yield %s : i32
      }
      func.return
    }"""
    for here, dots in ((text, False), (text.replace("64x32xi8", "32x64xi8"), True)):
        here = here.replace("%w[k, n]", "%w[n, k]") if dots else here
        assert ("dot4" in str(choose(only_compute(parse(here)), describe("cpu")))) == dots
        rng = np.random.default_rng(0)
        x = rng.integers(0, 256, (9, 64)).astype(np.uint8)
        w = rng.integers(-128, 128, (32, 64) if dots else (64, 32)).astype(np.int8)
        y = np.zeros((9, 32), np.int32)
        native(lower(parse(here), "cpu"), describe("cpu"))["f"](x, w, y)
        np.testing.assert_array_equal(y, x.astype(int) @ (w.T if dots else w))


def test_tile_of_groups_is_that_of_floats() -> None:
    text = chosen(Window(1, 1, 64, 64, (56, 56), 3, 1, 1, 16, 32), "cpu:cascadelake")
    assert "split o 32 oo oi, split oi 16 om ov" in text
    assert "split x 14 xo xi" in text
    assert "dot4 ig" in text
    assert "unroll xi om, vector ov]" in text


def test_registers_are_kept_for_what_stands_for_a_dot_product() -> None:
    f = Window(1, 1, 64, 64, (56, 56), 3, 1, 1, 16, 32)
    text = chosen(f, "cpu:haswell")
    unrolled = text.partition("unroll ")[2].partition(",")[0].split()
    assert "dot4" in text
    assert unrolled
    op = only_compute(parse(f.text()))
    machine = describe("cpu:haswell")

    def instructions() -> int:
        nest = nest_of(op)
        assert nest is not None
        return in_groups(op, nest, machine).body_ops

    exact = instructions()
    op.attributes[ABS_B] = IntegerAttr(64, i64)
    narrow = instructions()
    assert 1 < narrow < exact


def test_padding_of_bytes_is_left_to_others() -> None:
    """What reads outside its buffer reads no whole groups."""
    text = PLAIN.text().replace(" mod 16],\n", " mod 16] pad 0.0,\n", 1)
    assert " pad 0" in text
    nest = nest_of(op := only_compute(parse(text)))
    assert nest is not None
    assert in_groups(op, nest, describe("cpu:cascadelake")).groups is None


def chain(h: int) -> str:
    """Two contractions of bytes, of which the second reads what the first has written."""
    x, t, y = (f"memref<{c // 16}x{h}x{h}x16xui8>" for c in (32, 64, 48))
    body = """(%a: i8, %b: i8, %acc: i32) {
          %ax = arith.extui %a : i8 to i32
          %bx = arith.extsi %b : i8 to i32
          %p = arith.muli %ax, %bx : i32
          %s = arith.addi %acc, %p : i32
          te.yield %s : i32
        } epilogue (%v: i32, %e: f32) {
          %q = int8.requantize %v by %e to <u8, 1.0, 7> : i32, f32
          te.yield %q : i8
        }"""

    def step(read: str, weights: str, scale: str, write: str, ci: int, co: int) -> str:
        kind = {"%x": x, "%t": t, "%y": y}
        w = f"memref<{ci // 4}x{co}x4xi8>"
        return f"""
      te.compute axes(o: {co}, h: {h}, v: {h}, reduce i: {ci})
        ins({read}[i floordiv 16, h, v, i mod 16], {weights}[i floordiv 4, o, i mod 4])
        extras({scale}[o]) out({write}[o floordiv 16, h, v, o mod 16]) init 0 : i32
        : {kind[read]}, {w}, memref<{co}xf32>, {kind[write]} {body}"""

    return f"""
    func.func @f(%x: {x}, %w: memref<8x64x4xi8>, %f: memref<64xf32>, %u: memref<16x48x4xi8>,
                 %g: memref<48xf32>, %y: {y}) {{
      %t = memref.alloc() : {t}
      {step("%x", "%w", "%f", "%t", 32, 64)}
      {step("%t", "%u", "%g", "%y", 64, 48)}
      func.return
    }}"""


@pytest.mark.parametrize("threads", [1, 2])
def test_contractions_of_bytes_are_cut_into_blocks_together(threads: int) -> None:
    text = chain(28)
    rng = np.random.default_rng(1)
    inputs = [
        rng.integers(0, 256, (2, 28, 28, 16)).astype(np.uint8),
        rng.integers(-128, 128, (8, 64, 4)).astype(np.int8),
        (rng.random(64) * 1e-3).astype(np.float32),
        rng.integers(-128, 128, (16, 48, 4)).astype(np.int8),
        (rng.random(48) * 1e-3).astype(np.float32),
    ]
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    module = parse(text)
    small = replace(describe("cpu"), l1=4 << 10, l2=16 << 10)
    with patch.object(te_block_together, "machine_of", lambda target, by: small):
        TeBlockTogetherPass(threads=threads).apply(Context(), module)
    module.verify()
    TeFuseLoopsPass(PREFIX).apply(Context(), module)
    TeContractBuffersPass().apply(Context(), module)
    assert any(isinstance(o, ForOp) for o in module.walk())
    found = list(default("cpu", Options(threads)))
    for p in found[[p.name for p in found].index("plan-memory") :]:
        p.apply(Context(), module)
    assert sum(isinstance(o, Dot4Op) for o in module.walk()) >= 2
    kernel, y = native(module, describe("cpu"))["f"], np.zeros_like(wanted)
    ThreadPool.shared(threads).call(lambda: kernel(*inputs, y))
    np.testing.assert_array_equal(y, wanted)


def test_blocks_of_groups_cost_a_quarter_of_what_single_bytes_do() -> None:
    stages = [Stage(o, o.extents) for o in computes(parse(chain(28)))]
    machine = describe("cpu:cascadelake")
    both = parse(chain(28).replace("arith.extsi %b", "arith.extui %b"))
    single = [Stage(o, o.extents) for o in computes(both)]

    def cycles(of: list[Stage]) -> float:
        return sum(a.cycles(s) for a, s in zip(Stages(of, machine).arithmetic, of, strict=True))

    assert cycles(single) == pytest.approx(4 * cycles(stages))
