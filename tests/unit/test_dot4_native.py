"""
int8.dot4 in every form and on every width, run natively and interpreted, at all extremes: the same
32 bits as the exact sum.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import DiagnosticException

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.cpu.compiler import assembly
from lamina.backends.cpu.features import missing_features, required_features
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.dot4 import ORDER, best, lanes
from lamina.backends.machine import describe, targets
from lamina.dialects.int8 import Dot4Op, Madd16Op, MaddubsOp
from lamina.interpreters.int8 import dot4, madd16, maddubs
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass
from tests.unit.rewriting import parse

CPUS = [t for t in targets() if t.startswith("cpu")]
NAMES = "cascadelake alderlake skx knl haswell sandybridge nehalem x86-64"
HERE = [
    f"cpu:{cpu}"
    for cpu in NAMES.split()
    if not missing_features(required_features(describe(f"cpu:{cpu}")))
]
"""those whose code this CPU runs"""
FORMS = [form for form in ORDER if form == "generic" or lanes(describe("cpu"), form)]
LANES = [0, 1, 3, 4, 5, 8, 13, 16, 20, 32]
ABS, PAIR = "{lamina.abs_b = 64 : i64}", "{lamina.pair_b = 128 : i64}"
MOST = "{lamina.most_b = 98 : i64}"
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def kernel(count: int, rows: int, attributes: str = "") -> ModuleOp:
    """y = c + the sums of groups of a * b, on `rows` vectors of `count` lanes; 0 lanes: scalars."""
    n = f"x{count}" if count else ""
    word = f"vector<{count}xi32>" if count else "i32"
    group = f"vector<{count}x4xi8>" if count else "vector<4xi8>"
    words, groups = f"memref<{rows}{n}xi32>", f"memref<{rows}{n}x4xi8>"
    at, at_group = ("%i, 0", "%i, 0, 0") if count else ("%i", "%i, 0")
    return parse(f"""
func.func @f(%c: {words}, %a: {groups}, %b: {groups}, %y: {words}) {{
  loop.for %i < {rows} {{
    %x = vec.load %c[{at}] : {words} -> {word}
    %p = vec.load %a[{at_group}] : {groups} -> {group}
    %q = vec.load %b[{at_group}] : {groups} -> {group}
    %r = int8.dot4 %x, %p, %q {attributes} : {word}, {group}, {group}
    vec.store %r, %y[{at}] : {word}, {words}
    loop.yield
  }}
  func.return
}}""")


def lowered(module: ModuleOp, target: str, form: str = "auto") -> ModuleOp:
    Int8LowerDot4Pass(target, form).apply(Context(), module)
    module.verify()
    return module


def groups(*numbers: int) -> np.ndarray:
    """Every group of four of these bytes."""
    return np.array(list(product(numbers, repeat=4))).astype(np.uint8).view(np.int8)


def cases(b: np.ndarray) -> Arrays:
    """Sums that are near their ends, every group of extremes with every group of b; random ones."""
    rng = np.random.default_rng(0)
    a = groups(0, 127, 128, 255)
    random = rng.integers(0, 256, (5000, 4)).astype(np.uint8).view(np.int8)
    a, b = (
        np.concatenate([np.repeat(a, len(b), 0), random]),
        np.concatenate([np.tile(b, (len(a), 1)), b[rng.integers(0, len(b), 5000)]]),
    )
    ends = np.array([0, 2**31 - 1, -(2**31), 2**31 - 130050, -(2**31) + 130560, -1], np.int32)
    c = np.where(rng.random(len(a)) < 0.9, ends[rng.integers(0, 6, len(a))], 0)
    c[-5000:] = rng.integers(-(2**31), 2**31, 5000)
    return c.astype(np.int32), a, b


ANY = cases(groups(0, -1, -128, 127))
SMALL = cases(groups(0, -1, -64, 64, 63))
SIDES = [
    (127, -128),
    (127, 1),
    (100, -100),
    (0, 0),
    (128, 0),
    (0, -128),
    (-128, 0),
    (127, -1),
    (-1, -127),
    (64, -64),
    (3, 4),
]
PAIRED = cases(
    np.array([p + q for p, q in product(SIDES, repeat=2)]).astype(np.uint8).view(np.int8)
)


def check(
    arrays: Arrays, count: int, run: Callable[[ModuleOp, Arrays], np.ndarray], attrs: str
) -> None:
    width = count or 1
    rows = len(arrays[0]) // width
    c, a, b = (np.ascontiguousarray(x[: rows * width]) for x in arrays)
    exact = (c + (a.view(np.uint8).astype(np.int64) * b).sum(1)).astype(np.int32)
    np.testing.assert_array_equal(dot4(c, a, b), exact)
    shape = (rows, count) if count else (rows,)
    shaped = c.reshape(shape), a.reshape(*shape, 4), b.reshape(*shape, 4)
    got = run(kernel(count, rows, attrs), shaped)
    np.testing.assert_array_equal(got.reshape(-1), exact)


def natively(target: str, form: str = "auto") -> Callable[[ModuleOp, Arrays], np.ndarray]:
    def run(module: ModuleOp, arrays: Arrays) -> np.ndarray:
        y = np.full_like(arrays[0], 77)
        native(lowered(module, target, form), describe(target))["f"](*arrays, y)
        return y

    return run


@pytest.mark.parametrize("count", LANES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_exact_sum(form: str, count: int) -> None:
    if form == "maddubs":
        check(SMALL, count, natively("cpu", form), ABS)
        check(PAIRED, count, natively("cpu", form), PAIR)
    check(ANY, count, natively("cpu", form), "")  # not proven: not that form


@pytest.mark.parametrize("count", [0, 3, 8, 16, 20])
@pytest.mark.parametrize("target", HERE)
def test_every_machine_has_an_exact_form(target: str, count: int) -> None:
    check(ANY, count, natively(target), "")
    check(SMALL, count, natively(target), ABS)
    check(PAIRED, count, natively(target), PAIR)
    check(ANY, count, natively(target), MOST)


@pytest.mark.parametrize("count", [0, 1, 5, 8, 16, 20])
@pytest.mark.parametrize("target", ["cpu:cascadelake", "cpu:alderlake", "cpu:skx", "cpu:x86-64"])
@pytest.mark.parametrize("attributes", ["", ABS, MOST])
def test_what_is_lowered_means_the_same(target: str, count: int, attributes: str) -> None:
    def interpret(module: ModuleOp, arrays: Arrays) -> np.ndarray:
        (y,) = interpreters.call(lowered(module, target), "f", arrays)
        return y

    some = np.random.default_rng(1).permutation(len(SMALL[0]))[:200]
    c, a, b = (x[some] for x in SMALL)
    check((c, a, b), count, interpret, attributes)


@pytest.mark.parametrize("target", CPUS)
def test_every_width_has_code_on_every_cpu(target: str) -> None:
    machine = describe(target)
    for count, attributes in product([0, 3, 8, 20], ["", ABS]):
        module = lowered(kernel(count, 2, attributes), target)
        code = assembly(print_module(module, machine)["f"], machine)
        form = best(machine, "all" if attributes else "some") if count else "generic"
        assert ("vpdpbusd" in code) == (form in ("vnni", "avxvnni")), (count, attributes)
        assert ("pmaddubsw" in code) == (form == "maddubs"), (count, attributes)


@pytest.mark.parametrize("count", [4, 8, 16])
@pytest.mark.parametrize("target", HERE)
def test_pairs_saturate_as_the_instruction_does(target: str, count: int) -> None:
    a, b = (x[: len(x) // count * count].reshape(-1, count, 4) for x in ANY[1:])
    if count > lanes(describe(target), "maddubs"):
        with pytest.raises(DiagnosticException, match=r"@f: no LLVM for int8.maddubs on vector<"):
            run_pairs(target, a, b)
        return
    sums, words = run_pairs(target, a, b)
    np.testing.assert_array_equal(sums, maddubs(a, b))
    assert {-32768, 32767, 0} <= set(sums.flat)
    np.testing.assert_array_equal(words, madd16(sums, sums))
    assert -(2**31) in words  # both sums at the end of 16 bits


def run_pairs(target: str, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """maddubs of a and b, and madd16 of that with itself."""
    rows, count, _ = a.shape
    bytes_, pairs = f"memref<{rows}x{count}x4xi8>", f"memref<{rows}x{count}x2xi16>"
    words, groups_, halves = (
        f"memref<{rows}x{count}xi32>",
        f"vector<{count}x4xi8>",
        f"vector<{count}x2xi16>",
    )
    module = parse(f"""
func.func @f(%a: {bytes_}, %b: {bytes_}, %s: {pairs}, %y: {words}) {{
  loop.for %i < {rows} {{
    %p = vec.load %a[%i, 0, 0] : {bytes_} -> {groups_}
    %q = vec.load %b[%i, 0, 0] : {bytes_} -> {groups_}
    %m = int8.maddubs %p, %q : {groups_} -> {halves}
    vec.store %m, %s[%i, 0, 0] : {halves}, {pairs}
    %r = int8.madd16 %m, %m : {halves} -> vector<{count}xi32>
    vec.store %r, %y[%i, 0] : vector<{count}xi32>, {words}
    loop.yield
  }}
  func.return
}}""")
    sums, y = np.zeros((rows, count, 2), np.int16), np.zeros((rows, count), np.int32)
    native(module, describe(target))["f"](a, b, sums, y)
    return sums, y


def test_a_false_bound_is_seen_by_the_interpreter() -> None:
    module, c = kernel(4, 1, ABS), np.zeros((1, 4), np.int32)
    a, b = np.full((1, 4, 4), -1, np.int8), np.full((1, 4, 4), 127, np.int8)
    (before,) = interpreters.call(module, "f", (c, a, b))
    (after,) = interpreters.call(lowered(module, "cpu:nehalem"), "f", (c, a, b))
    assert before[0, 0] == 4 * 255 * 127
    assert after[0, 0] == 2 * 32767


def test_a_remark_says_how_much_is_proven(caplog: pytest.LogCaptureFixture) -> None:
    body = "%{} = int8.dot4 %c, %a, %a {} : vector<4xi32>, vector<4x4xi8>, vector<4x4xi8>"
    text = f"""
func.func @f(%a: vector<4x4xi8>, %c: vector<4xi32>) {{
  {body.format("r", ABS)}
  loop.for %i < 3, %j < 2 {{
    {body.format("s", PAIR)}
    loop.yield
  }}
  {body.format("t", "")}
  {body.format("u", MOST)}
  {body.format("v", MOST)}
  func.return
}}"""
    with caplog.at_level("WARNING", logger="lamina"):
        for target in ("cpu:cascadelake", "cpu:x86-64", "opencl:portable"):
            lowered(parse(text), target)
        lowered(parse("func.func @f() { func.return }"), "cpu:haswell")
        Int8LowerDot4Pass("cpu:haswell", remarks=False).apply(Context(), parse(text))
        assert not caplog.records
        module = lowered(parse(text), "cpu:haswell")
    (record,) = caplog.records
    assert record.getMessage() == (
        "lamina: remark: int8-lower-dot4: for cpu:haswell, 70 % of the products of bytes are proven"
        " to add up in pairs within 16 bits (maddubs), and 20 % in at least 98 of 100 groups of"
        " four (checked in each step); the others take madd16, which is exact"
    )
    counts = {
        t: sum(isinstance(o, t) for o in module.walk()) for t in (MaddubsOp, Madd16Op, Dot4Op)
    }
    # of the two that are checked: two sums and one look at the bytes that they share
    assert counts == {MaddubsOp: 2 + 3, Madd16Op: 4 + 6, Dot4Op: 0}
