"""What is known of numbers decides how they are converted, never what comes out."""

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from lamina.backends.cpu.build import native
from lamina.backends.cpu.limits import limits
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects.vector import StoreOp

NUMBERS = [np.nan, np.inf, -np.inf, 0.5, 1.5, 2.5, -0.5, -2.5, 254.5, 255.5, 300.0, -129.0]
NUMBERS += [3e9, -3e9, 2147483647.0, -2147483648.0, 0.49999997, -0.0, 8388609.0, 1e-45]
MOST = 2**31 - 1
TARGETS = ["cpu", "cpu:haswell", "cpu:nehalem", "cpu:x86-64"]


def kernel(lines: str, to: str, lanes: int) -> ModuleOp:
    """%r = lines of %x, for all numbers."""
    n = len(NUMBERS)
    for name, element in (("F", "f32"), ("I", "i32"), ("R", to)):
        lines = lines.replace(f"!{name}", f"vector<{lanes}x{element}>")
    for number in ("2147483647.0", "-128.0", "127.0", "255.0", "-1.0", "300", "-1", "3"):
        lines = lines.replace(f"<<{number}>>", f"arith.constant dense<{number}>")
    text = f"""
    func.func @f(%xs: memref<{n}xf32>, %ys: memref<{n}x{to}>) {{
      loop.for %i < {n // lanes} {{
        %x = vec.load %xs[%i * {lanes}] : memref<{n}xf32> -> vector<{lanes}xf32>
        {lines}
        vec.store %r, %ys[%i * {lanes}] : vector<{lanes}x{to}>, memref<{n}x{to}>
        loop.yield
      }}
      func.return
    }}"""
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def run(module: ModuleOp, target: str, dtype: type) -> np.ndarray:
    y = np.zeros(len(NUMBERS), dtype)
    native(module, describe(target))["f"](np.array(NUMBERS, np.float32), y)
    return y


CUT = """
%low = <<LOW>> : !F  %high = <<HIGH>> : !F
%a = arith.maxnumf %x, %low : !F  %b = arith.minnumf %a, %high : !F
%c = math.roundeven %b : !F  %d = vec.convert %c : !F to !I
"""


def cut(low: str, high: str) -> str:
    return CUT.replace("LOW", low).replace("HIGH", high)


def wanted(low: float, high: float) -> np.ndarray:
    """NaN is the least."""
    x = np.array(NUMBERS, np.float32)
    return np.rint(np.fmin(np.fmax(x, np.float32(low)), np.float32(high))).astype(np.int32)


@pytest.mark.parametrize("lanes", [1, 2, 4, 5, 10, 20])
@pytest.mark.parametrize("target", TARGETS)
def test_what_is_cut_off_is_rounded_by_one_instruction(target: str, lanes: int) -> None:
    module = kernel(cut("-128.0", "127.0") + "%r = vec.convert %d : !I to !R", "i8", lanes)
    text = "".join(print_module(module, describe(target)).values())
    assert "llvm.lrint" in text
    assert "trunc nsw" in text
    np.testing.assert_array_equal(run(module, target, np.int8), wanted(-128, 127))


@pytest.mark.parametrize("target", TARGETS)
def test_what_may_not_fit_goes_to_the_nearest_number(target: str) -> None:
    lines = "%c = math.roundeven %x : !F  %r = vec.convert %c : !F to !R"
    with np.errstate(all="ignore"):
        x = np.rint(np.array(NUMBERS, np.float32)).astype(float)
        nearest = np.clip(np.nan_to_num(x), -(2**31), 2**31 - 1).astype(np.int32)
    np.testing.assert_array_equal(run(kernel(lines, "i32", 4), target, np.int32), nearest)


def test_limit_of_a_float_is_what_it_is_in_memory() -> None:
    """2147483647 is 2147483648 as a float, which no i32 is."""
    module = kernel(cut("-1.0", "2147483647.0") + "%r = arith.addi %d, %d : !I", "i32", 4)
    assert "fptosi.sat" in "".join(print_module(module, describe("cpu")).values())


ONE_SIDE = """
%low = <<-1.0>> : !F  %c = arith.OP %x, %low : !F  %r = vec.convert %c : !F to !I
"""


def known(lines: str, to: str) -> object:
    (store,) = [o for o in kernel(lines, to, 4).walk() if isinstance(o, StoreOp)]
    return limits(store.value)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (cut("-1.0", "255.0") + "%e = <<3>> : !I  %r = arith.addi %d, %e : !I", (2, 258)),
        (cut("-1.0", "2147483647.0") + "%e = <<3>> : !I  %r = arith.addi %d, %e : !I", None),
        ("%a = vec.convert %x : !F to !I  %r = arith.addi %a, %a : !I", None),
        (
            "%a = vec.convert %x : !F to !I  %e = <<3>> : !I  %r = arith.maxsi %a, %e : !I",
            (3, MOST),
        ),
        (
            "%a = vec.convert %x : !F to !I  %e = <<3>> : !I  %b = arith.minsi %e, %a : !I"
            "  %g = <<-1>> : !I  %r = arith.maxsi %b, %g : !I",
            (-1, 3),
        ),
        (ONE_SIDE.replace("OP", "maxnumf"), None),
        (ONE_SIDE.replace("OP", "minimumf"), None),
    ],
)
def test_limits_are_those_of_every_lane_or_unknown(lines: str, found: object) -> None:
    assert known(lines, "i32") == found


def test_limits_of_bytes_follow_their_sign() -> None:
    lines = cut("-1.0", "255.0") + "%e = vec.convert %d : !I to vector<4xi8>\n"
    signs = {"unsigned ": (0, 255), "": (-128, 127)}
    for sign, (low, high) in signs.items():
        more = f"%r = vec.convert {sign}%e : vector<4xi8> to !I"
        assert known(lines + more, "i32") == (low, high)
        floats = f"%f = vec.convert {sign}%e : vector<4xi8> to !F  %g = <<255.0>> : !F\n"
        shifted = "%r = arith.subf %g, %f : !F"
        assert known(lines + floats + shifted, "f32") == (255 - high, 255 - low)
