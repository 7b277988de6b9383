"""What counts as the same result, and how arrays follow a function through a lowering."""

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.passes import ModulePass

from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.tools.validate.compare import Numerics, difference
from lamina.tools.validate.report import Checked
from lamina.tools.validate.samples import array, kinds, sample
from lamina.tools.validate.signature import Conversion, Incompatible, Signature, is_read
from lamina.tools.validate.stored import Steps

NAN, INF = np.nan, np.inf


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (floats(1, NAN, INF), floats(1, NAN, INF), 0.0),
        (floats(0.0), floats(-0.0), 0.0),
        (floats(4, 1), floats(4, 2), 0.25),
        (floats(INF, 1), floats(INF, 2), 1.0),
        (floats(1, NAN), floats(1, 0), INF),
        (floats(1, 0), floats(1, NAN), INF),
        (floats(1, INF), floats(1, -INF), INF),
        (floats(1, INF), floats(1, 3e38), INF),
        (floats(0, 0), floats(0, 1e-3), 1e-3),
        (np.array([100, 1]), np.array([100, 2]), INF),
        (np.array([], np.float32), np.array([], np.float32), 0.0),
    ],
)
def test_difference_is_relative_to_the_largest_magnitude(
    before: np.ndarray, after: np.ndarray, expected: float
) -> None:
    assert difference(before, after).relative == pytest.approx(expected)


def test_difference_shows_where_it_is_largest() -> None:
    before = np.zeros((2, 3), np.float32)
    after = before.copy()
    after[1, 2], after[0, 1] = 0.5, 0.25
    assert str(difference(before, after)) == "0 became 0.5 at [1, 2]"


class NamedPass(ModulePass):
    name = "named"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        pass


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [("exact", 0), ("tolerance 1e-5", 1e-5), ("within a step", 1e-5), ("lossy", INF)],
)
def test_declarations(text: str, tolerance: float) -> None:
    declaring = type("DeclaringPass", (NamedPass,), {"numerics": text})
    assert Numerics.of(declaring()).tolerance == tolerance


def test_finite_numbers_are_enough_for_some_promises() -> None:
    texts = ["exact", "exact of finite", "tolerance 1e-5 of finite", "within a step", "lossy"]
    declaring = [type("DeclaringPass", (NamedPass,), {"numerics": text})() for text in texts]
    assert [Numerics.of(p).of_finite for p in declaring] == [False, True, True, False, True]


def test_bytes_may_be_steps_apart_and_other_integers_not() -> None:
    for type, steps, expected in (
        (np.uint8, 0, INF),
        (np.uint8, 1, 0.0),
        (np.int8, 1, 0.0),
        (np.int32, 1, INF),
    ):
        x = np.array([3, 100], type)
        assert difference(x, x + type(1), steps).relative == expected
    assert difference(np.array([0, 255], np.uint8), np.array([255, 0], np.uint8), 1).relative == INF


def test_steps_are_counted() -> None:
    steps = Steps()
    assert steps.add(np.array([0, 255, 7], np.uint8), np.array([255, 255, 7], np.uint8)) == 255
    assert steps.add(np.array([-128, 127], np.int8), np.array([-127, 127], np.int8)) == 1
    assert str(steps) == "2 of 5 bytes differ by up to 255 steps"
    one = Steps()
    one.add(np.zeros(3, np.int8), np.array([0, 1, 0], np.int8))
    assert str(one) == "1 of 3 bytes differ by a step"
    assert str(Steps(size=4)) == "none of 4 bytes differs"
    one += steps
    assert (one.changed, one.size, one.largest) == (3, 8, 255)


def test_likeness_leaves_out_what_is_not_finite() -> None:
    checked = Checked("interpreted", 1)
    checked.measure(floats(3, NAN, 1, INF), floats(3, 1, 0, INF))
    assert (checked.likeness.signal, checked.likeness.noise) == (10, 1)
    assert str(checked.likeness) == "10.0 dB"


def test_pass_that_declares_nothing_is_exact() -> None:
    assert Numerics.of(NamedPass()).tolerance == 0


@pytest.mark.parametrize(
    "text", ["exactly", "tolerance", "tolerance small", "tolerance 1 of", "exact of", "within"]
)
def test_unknown_declaration_is_an_error(text: str) -> None:
    declaring = type("DeclaringPass", (NamedPass,), {"numerics": text})
    with pytest.raises(
        LaminaError,
        match="numerics must be 'exact', 'tolerance 1e-5', either 'of finite', 'within a step' or",
    ):
        Numerics.of(declaring())


def parse(text: str) -> tuple[ModuleOp, dict[str, func.FuncOp]]:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module, {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}


def signature(arguments: str, results: str = "") -> Signature:
    returned = f"-> {results}" if results else ""
    return Signature.of(parse(f"func.func private @f({arguments}) {returned}")[1]["f"])


BLOCKED = "tensor<1x3x2x2xf32, #graph.layout<NCHW4c, halo [1:1, 1:1]>>"


def test_tensors_become_storage_and_results_arguments() -> None:
    before = signature("tensor<2xf32>", BLOCKED)
    conversion = Conversion(before, signature("memref<2xf32>, memref<1x1x4x4x4xf32>"))
    x, y = floats(1, 2), np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2) + 1
    given, out = conversion.slots([x])
    assert given.tolist() == [1, 2]
    assert out.shape == (1, 1, 4, 4, 4)
    assert np.isnan(out).all()
    (_, (stored, matters)) = conversion.results([x], [y])
    assert stored[0, 0, 1, 1].tolist() == [1, 5, 9, 0]
    assert matters is not None
    assert matters[0, 0, 1, 1].tolist() == [True, True, True, False]  # the block is not full
    assert matters[0, 0, 0, 0].tolist() == [True, True, True, False]  # zeros of the halo count
    np.testing.assert_array_equal(conversion.back([x, stored])[0], y)


def test_layouts_do_not_change_tensors() -> None:
    plain = "tensor<1x3x2x2xf32>"
    conversion = Conversion(signature(plain, plain), signature(BLOCKED, plain))
    x = np.ones((1, 3, 2, 2), np.float32)
    assert conversion.slots([x])[0] is x


def test_weights_and_memory_to_work_in_are_no_slots() -> None:
    module = parse("""
    func.func @f(%x: memref<2xf32> {lamina.input = "x"}, %y: memref<2xf32> {lamina.output = "y"},
        %w: memref<3xf32> {lamina.weight = "k"}, %a: memref<64xi8> {lamina.arena}) { func.return }
    """)[1]
    found = Signature.of(module["f"])
    assert len(found.slots) == 2
    Conversion(signature("tensor<2xf32>", "tensor<2xf32>"), found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("memref<2xf32>", "memref<3xf32>"),
        ("memref<2xf32>", "memref<2xf32>, memref<2xf32>"),
        ("tensor<2xf32>", "memref<2xi32>"),
    ],
)
def test_other_arrays_are_incompatible(before: str, after: str) -> None:
    with pytest.raises(Incompatible):
        Conversion(signature(before), signature(after))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("index", "it takes an index, whose range is not known"),
        ("tensor<?xf32>", "it takes or gives tensor<?xf32>, which is no array of a known shape"),
        ("memref<2xf32>", None),
    ],
)
def test_functions_without_made_up_inputs_say_why(arguments: str, why: str | None) -> None:
    assert signature(arguments).unsupported() == why


def test_buffers_that_are_only_written_start_unwritten() -> None:
    _, functions = parse("""
    func.func private @store(%x: memref<2xf32>, %y: memref<2xf32>) {
      %v = vec.load %x[0] : memref<2xf32> -> f32
      vec.store %v, %y[1] : f32, memref<2xf32>
      func.return
    }
    func.func @f(%x: memref<2xf32>, %y: memref<2xf32>) {
      %z = "memref.cast"(%y) : (memref<2xf32>) -> memref<2xf32>
      func.call @store(%x, %z) : (memref<2xf32>, memref<2xf32>) -> ()
      func.return
    }""")
    f = functions["f"]
    assert [is_read(a, functions) for a in f.body.block.args] == [True, False]
    x, y = sample(f, Signature.of(f), "normal", 0, functions)
    assert not np.isnan(x).any()
    assert np.isnan(y).all()


def test_kinds_of_samples_follow_the_types() -> None:
    assert kinds(signature("memref<2xf32>")) == ["normal", "negative", "constant", "inf and nan"]
    assert kinds(signature("memref<2xi8>")) == ["normal", "negative", "constant", "extremes"]
    assert "extremes" in kinds(signature("memref<2xf32>, memref<2xi8>"))


def test_samples_are_what_they_are_called() -> None:
    rng, f32, i8 = np.random.default_rng(0), np.dtype(np.float32), np.dtype(np.int8)
    assert (array(rng, f32, (100,), "negative") < 0).all()
    assert len(set(array(rng, f32, (100,), "constant").tolist())) == 1
    special = array(rng, f32, (1000,), "inf and nan")
    assert np.isnan(special).any()
    assert np.isposinf(special).any()
    assert np.isneginf(special).any()
    assert np.isfinite(special).mean() > 0.9
    assert set(array(rng, i8, (1000,), "extremes").tolist()) == {-128, -1, 0, 1, 127}
    assert set(np.unique(array(rng, i8, (10000,), "normal"))) == set(range(-128, 128))


def test_samples_keep_what_is_promised_about_integers() -> None:
    _, functions = parse("""
    func.func private @rows(%at: memref<50xi32>, %x: memref<6xf32>, %y: memref<50xf32>) {
      te.compute axes(i: 50) ins(%at[i] as k: 5, %x[k]) out(%y[i]) init 0.0 : f32
        : memref<50xi32>, memref<6xf32>, memref<50xf32>
        (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
      func.return
    }
    func.func @f(%at: memref<50xi32>, %x: memref<6xf32>, %y: memref<50xf32>) {
      func.call @rows(%at, %x, %y) : (memref<50xi32>, memref<6xf32>, memref<50xf32>) -> ()
      func.return
    }""")
    f = functions["f"]
    for kind in ("normal", "negative", "extremes"):
        at, _, _ = sample(f, Signature.of(f), kind, 0, functions)
        assert set(at) <= set(range(5))
    assert len(set(sample(f, Signature.of(f), "normal", 0, functions)[0])) == 5
