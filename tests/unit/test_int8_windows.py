"""Integers lane by lane: windows of single channels, maxima, rescaled sums, on every machine."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from xdsl.dialects import arith

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.machine import describe
from lamina.dialects.int8 import Dot4Op
from lamina.dialects.te import ComputeOp
from lamina.dialects.vector import LoadOp, element_of, shape_of
from lamina.passes.te._cost import candidates
from lamina.tools._tuning import scheduled
from tests.unit.te_formulas import only_compute, parse
from tests.unit.test_int8_schedules import BYTES, EXTENSIONS, PLAIN, RUN_HERE, lower


def window(
    c: int,
    size: int,
    k: int,
    stride: int,
    apart: int,
    signs: tuple[str, str],
    high: int | None = None,
) -> str:
    """A sum of products over windows of each channel in two images, rescaled to bytes."""
    high = k if high is None else high
    around = [(size - 1) * stride + apart * (n - 1) + 1 for n in (high, k)]
    blocks = -(-c // 16)
    x = f"memref<2x{blocks}x{around[0]}x{around[1]}x16x{signs[0]}>"
    w, f = f"memref<{blocks}x{high}x{k}x16x{signs[1]}>", f"memref<{c}xf32>"
    y = f"memref<2x{blocks}x{size}x{size}x16xi8>"
    return f"""
    func.func @f(%x: {x}, %w: {w}, %f: {f}, %y: {y}) {{
      te.compute axes(n: 2, c: {c}, h: {size}, v: {size}, reduce p: {high}, reduce q: {k})
      ins(%x[n, c floordiv 16, h * {stride} + p * {apart}, v * {stride} + q * {apart}, c mod 16],
          %w[c floordiv 16, p, q, c mod 16])
      extras(%f[c]) out(%y[n, c floordiv 16, h, v, c mod 16]) init 0 : i32 : {x}, {w}, {f}, {y}
      (%a: i8, %b: i8, %acc: i32) {{
        %ax = arith.{EXTENSIONS[signs[0]]} %a : i8 to i32
        %bx = arith.{EXTENSIONS[signs[1]]} %b : i8 to i32
        %p0 = arith.muli %ax, %bx : i32
        %s = arith.addi %acc, %p0 : i32
        te.yield %s : i32
      }} epilogue (%v0: i32, %g: f32) {{
        %q0 = int8.requantize %v0 by %g to <s8, 1.0, -5> : i32, f32
        te.yield %q0 : i8
      }}
      func.return
    }}"""


def largest(c: int, size: int, sign: str) -> str:
    """The largest of 3 x 3 bytes, in steps of 2."""
    around, blocks = 2 * size + 1, -(-c // 16)
    x = f"memref<{blocks}x{around}x{around}x16x{sign}>"
    y = f"memref<{blocks}x{size}x{size}x16x{sign}>"
    op, least = {"ui8": ("maxui", 0), "i8": ("maxsi", -128)}[sign]
    return f"""
    func.func @f(%x: {x}, %y: {y}) {{
      te.compute axes(c: {c}, h: {size}, v: {size}, reduce p: 3, reduce q: 3)
      ins(%x[c floordiv 16, h * 2 + p, v * 2 + q, c mod 16])
      out(%y[c floordiv 16, h, v, c mod 16]) init {least} : i8 : {x}, {y}
      (%a: i8, %acc: i8) {{ %s = arith.{op} %acc, %a : i8  te.yield %s : i8 }}
      func.return
    }}"""


def rescaled(n: int) -> str:
    """The sum of signed and unsigned bytes that have scales of their own."""
    x, z = f"memref<{n}xui8>", f"memref<{n}xi8>"
    return f"""
    func.func @f(%x: {x}, %z: {z}, %y: {x}) {{
      te.compute axes(i: {n}) ins(%x[i], %z[i]) out(%y[i]) init 0 : i8 : {x}, {z}, {x}
      (%a: i8, %b: i8, %acc: i8) {{
        %x1 = int8.dequantize %a from <u8, 0.0625, 128> : i8
        %z1 = int8.dequantize %b from <s8, 0.3, -7> : i8
        %t = arith.addf %x1, %z1 : f32
        %q = int8.quantize %t to <u8, 0.1, 100> : f32
        te.yield %q : i8
      }}
      func.return
    }}"""


TEXTS = {
    "three by three": window(64, 9, 3, 1, 1, ("ui8", "i8")),
    "ragged, strided": window(37, 5, 3, 2, 1, ("ui8", "i8")),
    "two": window(16, 5, 2, 1, 1, ("ui8", "i8")),
    "five by five": window(32, 10, 5, 1, 1, ("ui8", "i8")),
    "five, strided": window(48, 7, 5, 2, 1, ("ui8", "i8")),
    "seven by seven": window(16, 11, 7, 1, 1, ("ui8", "i8")),
    "one by seven": window(32, 9, 7, 1, 1, ("ui8", "i8"), high=1),
    "seven by one": window(32, 9, 1, 1, 1, ("ui8", "i8"), high=7),
    "apart": window(32, 9, 3, 1, 2, ("ui8", "i8")),
    "apart, signed": window(16, 6, 5, 1, 2, ("i8", "i8")),
    "unsigned": window(8, 7, 2, 1, 1, ("ui8", "ui8")),
    "largest unsigned": largest(19, 9, "ui8"),
    "largest signed": largest(16, 8, "i8"),
    "rescaled": rescaled(1003),
}


def inputs_of(text: str, extreme: bool) -> list[np.ndarray]:
    """All of a kernel's inputs: any numbers, or the smallest and the largest ones."""
    rng = np.random.default_rng(2)
    op = only_compute(parse(text))
    arrays: list[np.ndarray] = []
    for k in range(len(op.accesses.data) - 1):
        element, shape = str(op.element_type(k)), op.shape(k)
        if element == "f32":
            arrays.append((rng.random(shape) * 1e-2).astype(np.float32))
            continue
        low, high, dtype = BYTES[element]
        some = rng.choice([low, high], shape) if extreme else rng.integers(low, high + 1, shape)
        arrays.append(some.astype(dtype))
    return arrays


@pytest.mark.parametrize(("target", "threads"), [*((t, 1) for t in RUN_HERE), ("cpu", 2)])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_integers_are_what_the_formula_says(text: str, target: str, threads: int) -> None:
    module = lower(parse(text), target, threads)
    kernel = native(module, describe(target))["f"]
    results = prod(a.extent for a in only_compute(parse(text)).axes.data if not a.reduce)
    for extreme in (False, True):
        inputs = inputs_of(text, extreme)
        (wanted,) = interpreters.call(parse(text), "f", inputs)
        y, z = np.zeros_like(wanted), np.ones_like(wanted)
        for result in (y, z):
            ThreadPool.shared(threads).call(lambda: kernel(*inputs, result))  # noqa: B023
        written = y == z
        assert written.sum() == results
        np.testing.assert_array_equal(y[written], wanted[written])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_bytes_are_loaded_as_vectors(text: str) -> None:
    loads = [o for o in lower(parse(text), "cpu:cascadelake").walk() if isinstance(o, LoadOp)]
    assert loads
    assert all(shape_of(o.res.type) for o in loads), [str(element_of(o.res.type)) for o in loads]


def test_every_schedule_that_tuning_tries_computes_the_same() -> None:
    machine = describe("cpu")
    op = only_compute(module := parse(PLAIN.text().replace("@f", "@kernel")))
    found = candidates(op, machine, most=8)
    assert len(found) == 8
    arrays = PLAIN.arrays()
    wanted = PLAIN.wanted(arrays)
    for c in found:
        assert c.schedule is not None
        assert "dot4" in str(c.schedule)
        lowered = scheduled(module, c.schedule, machine)
        assert not any(isinstance(o, ComputeOp) for o in lowered.walk())
        y = np.full_like(wanted, 77)
        native(lowered, machine)["kernel"](*map(np.ascontiguousarray, arrays), y)
        np.testing.assert_array_equal(y, wanted, str(c.schedule))


@pytest.mark.parametrize("name", ["three by three", "two", "seven by seven"])
def test_bytes_of_a_row_are_multiplied_in_groups(name: str) -> None:
    ops = [type(o) for o in lower(parse(TEXTS[name]), "cpu:cascadelake").walk()]
    assert Dot4Op in ops
    assert arith.MuliOp not in ops
