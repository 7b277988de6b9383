"""Requantization by a multiplier and a shift: the formula in exact integers, on every machine."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.utils.exceptions import InterpretationError

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.interpreters.int8 import requantize_fixed
from tests.unit.rewriting import parse, rewrite

MOST = 2**31 - 1
ENDS = [0, 1, -1, 2, -2, 255, -255, 2**30, -(2**30), 2**30 - 1, MOST, -MOST, -MOST - 1]
MULTIPLIERS = [0, 1, 2**30 - 1, 2**30, 2**30 + 1, 3 * 2**29, MOST]
SHIFTS = [0, 1, 7, 22, 29]
N = 48


def exact(acc: int, multiplier: int, shift: int, zero: int, dtype: type) -> int:
    """To the nearest, ties to the larger, in fractions."""
    steps = floor(Fraction(acc * multiplier, 2 ** (33 + shift)) + Fraction(1, 2))
    return min(max(steps + zero, np.iinfo(dtype).min), np.iinfo(dtype).max)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@given(
    acc=st.integers(-MOST - 1, MOST) | st.sampled_from(ENDS),
    multiplier=st.integers(2**30, MOST) | st.sampled_from(MULTIPLIERS),
    shift=st.integers(0, 29),
    zero=st.integers(0, 127),
)
def test_interpreter_is_the_formula(
    dtype: type, acc: int, multiplier: int, shift: int, zero: int
) -> None:
    wanted = exact(acc, multiplier, shift, zero, dtype)
    assert requantize_fixed(acc, multiplier, shift, zero, dtype) == wanted


def test_ties_go_to_the_larger_number() -> None:
    halves = np.array([-5, -3, -1, 1, 3, 5]) * 2**3
    np.testing.assert_array_equal(
        requantize_fixed(halves, 2**30, 1, 0, np.int8), [-2, -1, 0, 1, 2, 3]
    )


@pytest.mark.parametrize("shift", [-1, 30])
def test_other_shifts_are_refused(shift: int) -> None:
    with pytest.raises(InterpretationError, match=f"needs shifts in 0..29, got {shift}..{shift}"):
        requantize_fixed(1, 1, shift, 0, np.uint8)


def kernel(lanes: int, to: str) -> str:
    """On N numbers, each with its own multiplier and shift."""
    args = ", ".join(f"%{name}s: memref<{N}xi32>" for name in "amt")
    type = f"vector<{lanes}xi32>" if lanes else "i32"
    step = lanes or 1
    loads = "\n".join(
        f"%{name} = vec.load %{name}s[%i * {step}] : memref<{N}xi32> -> {type}" for name in "amt"
    )
    return f"""
    func.func @f({args}, %ys: memref<{N}xi8>) {{
      loop.for %i < {N // step} {{
        {loads}
        %q = int8.requantize_fixed %a by %m shift %t to <{to}> : {type}
        vec.store %q, %ys[%i * {step}] : {type.replace("i32", "i8")}, memref<{N}xi8>
      }}
      func.return
    }}"""


def numbers(seed: int) -> list[np.ndarray]:
    """Sums, multipliers and shifts; ends of their ranges among them, and ties."""
    rng = np.random.default_rng(seed)
    few = rng.choice(np.array(ENDS, np.int64), N), rng.integers(-MOST - 1, MOST + 1, N)
    acc = np.where(rng.random(N) < 0.5, *few)
    by = rng.choice(MULTIPLIERS, N), rng.integers(2**30, MOST + 1, N)
    multiplier = np.where(rng.random(N) < 0.5, *by)
    shift = np.where(rng.random(N) < 0.5, rng.choice(SHIFTS, N), rng.integers(0, 30, N))
    small = rng.random(N) < 0.4  # a result inside of the range, or a tie
    reached = rng.integers(-300, 300, N) * 2.0 ** (32 + shift) / np.maximum(multiplier, 1)
    acc = np.where(small & (np.abs(reached) < MOST), np.rint(reached), acc)
    return [x.astype(np.int32) for x in (acc, multiplier, shift)]


@pytest.mark.parametrize("target", ["cpu", "cpu:skylake-avx512", "cpu:haswell", "cpu:x86-64"])
@pytest.mark.parametrize("lanes", [0, 2, 3, 4, 8, 16, 24])
@pytest.mark.parametrize("to", ["u8, 1.0, 0", "u8, 1.0, 128", "u8, 1.0, 255", "s8, 1.0, -128"])
def test_native_code_is_the_formula(target: str, lanes: int, to: str) -> None:
    dtype = np.uint8 if to.startswith("u8") else np.int8
    module = rewrite(kernel(lanes, to), "int8-expand")
    run = native(module, describe(target))["f"]
    inside = 0
    for seed in range(8):
        arrays = numbers(seed)
        zero = int(to.split()[-1])
        wanted = np.array(
            [exact(int(a), int(m), int(t), zero, dtype) for a, m, t in zip(*arrays, strict=True)]
        )
        inside += np.count_nonzero((wanted > np.iinfo(dtype).min) & (wanted != zero))
        y = np.full(N, 77, np.int8)
        run(*arrays, y)
        np.testing.assert_array_equal(y.view(dtype), wanted)
        (found,) = interpreters.call(parse(kernel(lanes, to)), "f", arrays)
        np.testing.assert_array_equal(found.view(dtype), wanted)
        (found,) = interpreters.call(module, "f", arrays)
        np.testing.assert_array_equal(found.view(dtype), wanted)
    assert inside > N


@pytest.mark.parametrize(
    "pipeline", ["vec-split{lanes=4},int8-expand", "int8-expand,vec-split{lanes=4}"]
)
def test_cut_vectors_are_the_formula(pipeline: str) -> None:
    arrays, to = numbers(9), "u8, 1.0, 3"
    (wanted,) = interpreters.call(parse(kernel(16, to)), "f", arrays)
    y = np.zeros(N, np.int8)
    native(rewrite(kernel(16, to), pipeline), describe("cpu"))["f"](*arrays, y)
    np.testing.assert_array_equal(y, wanted)
