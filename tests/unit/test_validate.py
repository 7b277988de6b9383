"""--validate: one planted mistake on each level is named; what is not checked is said."""

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lamina.tools import opt
from lamina.tools.validate import native

FAULTS = Path(__file__).parents[1] / "lit" / "tools" / "inputs" / "faults.py"
Outcome = tuple[int, str]
Validate = Callable[..., Outcome]

GRAPH = """
func.func @main(%x: tensor<1x4x5x5xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<1x4x5x5xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1
    : (tensor<1x4x5x5xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x5x5xf32>
  func.return %y : tensor<1x4x5x5xf32>
}"""

TE = """
func.func @conv(%x: memref<8x12x16xf32>, %w: memref<16x3x3x16xf32>, %c: memref<16xf32>,
    %y: memref<8x12x16xf32>) {
  te.compute axes(oh: 6, ow: 10, oc: 16, reduce ic: 16, reduce kh: 3, reduce kw: 3)
    ins(%x[kh + oh, kw + ow, ic], %w[ic, kh, kw, oc]) extras(%c[oc]) out(%y[oh + 1, ow + 1, oc])
    init 0.0 : f32
    schedule [split ow 4 owo owi, order oh owo ic kh kw owi oc, unroll owi, vector oc]
    : memref<8x12x16xf32>, memref<16x3x3x16xf32>, memref<16xf32>, memref<8x12x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    } epilogue (%v: f32, %bias: f32) {
      %t = arith.addf %v, %bias : f32
      te.yield %t : f32
    }
  func.return
}"""

ROUND = """
func.func @requantize(%x: memref<64xi32>, %y: memref<64xi8>) {
  %scale = arith.constant dense<0.5> : vector<16xf32>
  loop.for %i < 4 {
    %a = vec.load %x[%i * 16] : memref<64xi32> -> vector<16xi32>
    %f = vec.convert %a : vector<16xi32> to vector<16xf32>
    %s = arith.mulf %f, %scale : vector<16xf32>
    %r = math.roundeven %s : vector<16xf32>
    %q = vec.convert %r : vector<16xf32> to vector<16xi8>
    vec.store %q, %y[%i * 16] : vector<16xi8>, memref<64xi8>
  }
  func.return
}"""

SUM = """
func.func @sum(%x: memref<3x16xf32>, %y: memref<16xf32>) {
  %a = vec.load %x[0, 0] : memref<3x16xf32> -> vector<16xf32>
  %b = vec.load %x[1, 0] : memref<3x16xf32> -> vector<16xf32>
  %c = vec.load %x[2, 0] : memref<3x16xf32> -> vector<16xf32>
  %s = arith.addf %a, %b : vector<16xf32>
  %t = arith.addf %s, %c : vector<16xf32>
  vec.store %t, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}"""


@pytest.fixture
def validate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Validate:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # for reproducers nobody asked for

    def run(text: str, pipeline: str, *options: str) -> Outcome:
        path = tmp_path / "in.mlir"
        path.write_text(text)
        arguments = [str(path), "--load", str(FAULTS), "-p", pipeline, "--validate", *options]
        status = opt.main(arguments)
        return status, capfd.readouterr().err

    return run


@pytest.mark.parametrize(
    ("text", "before", "fault", "after"),
    [
        (GRAPH, "simplify-graph", "fault-graph-halo", "simplify-graph"),
        (TE, "te-simplify", "fault-te-halo", "te-schedule"),
        (TE, "te-schedule", "fault-drop-tail", "te-to-vec"),
        (TE, "te-schedule,te-to-loops,te-to-vec", "fault-swap-indices", "cse"),
        (ROUND, "canonicalize", "fault-rounding", "cse"),
    ],
    ids=["graph", "te", "te to loops", "loop", "int8 on vectors"],
)
def test_planted_fault_is_named(
    text: str, before: str, fault: str, after: str, validate: Validate, tmp_path: Path
) -> None:
    reproducer = tmp_path / "repro.mlir"
    status, err = validate(text, f"{before},{fault},{after}", "--reproducer", str(reproducer))
    assert status == 1
    *_, last = err.splitlines()
    assert re.match(
        rf"lamina-opt: validate: {fault} is declared exact, but changed what @\w+ comp", last
    )
    assert re.search(r"on sample '[\w ]+', (result|array) \d, \S+ became \S+ at \[[\d, ]+\]", last)
    assert last.endswith(f"; reproducer: {reproducer}")
    # the file repeats it, with the pass alone
    run = re.search(r"// RUN: lamina-opt %s (.*)", reproducer.read_text())
    assert run is not None
    assert run[1].startswith(f"-p {fault} ")
    again, err = validate(reproducer.read_text(), fault)
    assert (again, f"validate: {fault} is declared exact" in err) == (1, True)


@pytest.mark.parametrize(
    ("text", "pipeline"),
    [
        (TE, "te-schedule,te-to-loops,te-to-vec,cse,canonicalize,dce"),
        (ROUND, "canonicalize,cse"),
        (SUM, "honest-reorder"),
    ],
    ids=["te", "int8", "tolerance"],
)
def test_right_passes_pass(text: str, pipeline: str, validate: Validate) -> None:
    status, err = validate(text, pipeline)
    assert (status, "not checked" in err) == (0, False), err
    assert len(err.splitlines()) == 1 + len(pipeline.split(","))


def test_report_says_how_and_how_far(validate: Validate) -> None:
    _, err = validate(SUM, "honest-reorder")
    line = r"  honest-reorder: tolerance 1e-5; interpreted @sum on 4 kinds of samples; "
    assert re.search(rf"{line}largest difference \d\.\d+e-0[78]\n", err)


def test_undeclared_rounding_is_found(validate: Validate) -> None:
    status, err = validate(SUM, "dishonest-reorder")
    assert status == 1
    assert "dishonest-reorder is declared exact, but changed what @sum computes" in err


def test_access_outside_a_buffer_is_the_fault_of_the_pass(validate: Validate) -> None:
    status, err = validate(ROUND, "fault-wild-store")
    assert status == 1
    assert "fault-wild-store broke @requantize: on sample 'normal', vec.store at [1" in err


def test_use_before_definition_is_the_fault_of_the_pass(validate: Validate) -> None:
    status, err = validate(ROUND, "fault-order")
    assert status == 1
    assert "after fault-order, %scale, result 0 of arith.constant, is used before" in err


def test_op_without_interpreter_is_not_checked(validate: Validate) -> None:
    text = """
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %u = ub.poison : f32
      %v = ub.poison : f32
      func.return %x : tensor<4xf32>
    }"""
    status, err = validate(text, "canonicalize,cse")
    assert status == 1
    assert "  canonicalize: exact; not checked: @f: no interpreter for ub.poison\n" in err
    assert err.endswith("lamina-opt: validate: 1 pass was not checked, see above\n")


def test_result_without_interpreter_is_not_checked(validate: Validate) -> None:
    status, err = validate(SUM, "unknown-op,cse")
    assert status == 1
    assert "  unknown-op: exact; not checked: @sum: no interpreter for test.op\n" in err
    assert "  cse: exact; no function changed\n" in err


def test_function_that_nobody_calls_is_missed(validate: Validate) -> None:
    status, err = validate(f"func.func private @gone() {{ func.return }}\n{SUM}", "forget")
    assert status == 1
    assert "not checked: @gone: it is gone, and no function that was compared calls it" in err


def test_inlined_function_is_covered_by_its_caller(validate: Validate) -> None:
    text = f"""
    {SUM.replace("func.func @sum", "func.func private @sum")}
    func.func @main(%x: memref<3x16xf32>, %y: memref<16xf32>) {{
      func.call @sum(%x, %y) : (memref<3x16xf32>, memref<16xf32>) -> ()
      func.return
    }}"""
    status, err = validate(text, "inline-calls")
    assert (status, err.splitlines()[1:]) == (
        0,
        [
            "  inline-calls: exact; interpreted @main on 4 kinds of samples; largest difference 0; "
            "@sum covered by @main, which calls it"
        ],
    )


def test_function_with_an_index_argument_needs_a_caller(validate: Validate) -> None:
    """Nobody knows how far the index may run."""
    step = """
    func.func private @step(%i: index, %x: memref<4xf32>) {
      %a = vec.load %x[%i] : memref<4xf32> -> f32
      %b = arith.addf %a, %a : f32
      %c = arith.addf %a, %b : f32
      %d = arith.addf %c, %b : f32
      vec.store %d, %x[%i] : f32, memref<4xf32>
      func.return
    }"""
    caller = """
    func.func @f(%x: memref<4xf32>) {
      loop.for %i < 4 {
        func.call @step(%i, %x) : (index, memref<4xf32>) -> ()
      }
      func.return
    }"""
    status, err = validate(step, "honest-reorder")
    assert "not checked: @step: it takes an index, whose range is not known" in err
    assert status == 1
    status, err = validate(step + caller, "honest-reorder")
    assert "interpreted @f on 4 kinds of samples" in err
    assert "@step covered by @f, which calls it" in err
    assert status == 0


def test_same_seed_same_samples(validate: Validate) -> None:
    assert (
        validate(SUM, "dishonest-reorder")[1].split(";")[0]
        == (validate(SUM, "dishonest-reorder")[1].split(";")[0])
    )
    other = validate(SUM, "dishonest-reorder", "--validate=7")[1]
    assert "validate: seed 7, " in other
    assert other.split(" became ")[1] != validate(SUM, "dishonest-reorder")[1].split(" became ")[1]


@pytest.mark.parametrize(
    ("text", "before", "fault"),
    [
        (GRAPH, "simplify-graph", "fault-graph-halo"),
        (TE, "", "fault-te-halo"),
        (TE, "te-schedule,te-to-loops,te-to-vec,", "fault-swap-indices"),
        (ROUND, "", "fault-rounding"),
    ],
    ids=["graph", "te", "loop", "int8 on vectors"],
)
def test_planted_fault_is_found_in_machine_code(
    text: str, before: str, fault: str, validate: Validate, tmp_path: Path
) -> None:
    """A budget of nothing leaves only machine code."""
    given = tmp_path / "given.mlir"
    (tmp_path / "text.mlir").write_text(text)
    assert opt.main([str(tmp_path / "text.mlir"), "-p", before.rstrip(","), "-o", str(given)]) == 0
    status, err = validate(given.read_text(), fault, "--validate-budget", "0")
    assert status == 1
    assert f"validate: {fault} is declared exact, but changed what @" in err


def test_report_says_that_machine_code_was_compared(validate: Validate) -> None:
    status, err = validate(SUM, "honest-reorder", "--validate-budget", "0")
    assert status == 0
    line = "native (within 1e-05) @sum on 4 kinds of samples; largest difference "
    assert line in err


def test_machine_code_that_crashes_is_the_fault_of_the_pass(validate: Validate) -> None:
    status, err = validate(ROUND, "fault-wild-store", "--validate-budget", "0")
    assert status == 1
    assert "fault-wild-store broke @requantize: on sample 'normal', its machine code was " in err
    assert "ended by SIGSEGV" in err


def test_pass_cannot_be_compared_with_itself(validate: Validate) -> None:
    """Machine code of what was before te-schedule goes through te-schedule too."""
    status, err = validate(TE, "te-schedule", "--validate-budget", "0")
    assert status == 1
    assert "not checked: @conv: interpreting it takes about" in err
    assert "te-schedule itself would take part in compiling what was there before" in err


def test_endless_machine_code_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LIMIT", 0.1)
    with pytest.raises(native.Crashed, match=r"ran longer than 0\.1 s"):
        native.in_child(lambda: time.sleep(60), [])


def test_child_hands_back_what_it_wrote() -> None:
    x = np.zeros(3)
    native.in_child(lambda: x.__setitem__(1, 5.0), [x])
    assert x.tolist() == [0, 5, 0]


BOUND = """
func.func @kernel(%x: memref<32xui8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce k: 32)
    ins(%x[k], %w[k floordiv 4, o, k mod 4]) out(%y[o]) init 0 : i32
    schedule [split k 4 ko kg, dot4 kg, order ko o, vector o]
    attributes {lamina.abs_b = NUMBER : i64} : memref<32xui8>, memref<8x16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %u = arith.extui %a : i8 to i32
      %s = arith.extsi %b : i8 to i32
      %p = arith.muli %u, %s : i32
      %r = arith.addi %acc, %p : i32
      te.yield %r : i32
    }
  func.return
}
func.func @f(%x: memref<32xui8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  func.call @kernel(%x, %w, %y) : (memref<32xui8>, memref<8x16x4xi8>, memref<16xi32>) -> ()
  func.return
}"""


def test_bytes_are_as_small_as_sums_rely_on(validate: Validate) -> None:
    steps = ["te-schedule", "te-to-loops", "te-to-vec", 'int8-lower-dot4{target="cpu:haswell"}']
    status, err = validate(BOUND.replace("NUMBER", "64"), ",".join(steps))
    assert status == 0
    assert "}: exact; interpreted @kernel, @f on 4 kinds of samples; largest difference 0" in err


def test_bytes_of_which_nothing_is_known_are_any(validate: Validate) -> None:
    """The instruction that saturates is not exact for them."""
    text = BOUND.replace("NUMBER", "127")
    status, err = validate(text, "te-schedule,te-to-loops,te-to-vec,fault-proof")
    assert status == 1
    assert "fault-proof is declared exact, but changed what @" in err


# -- tensors of 8 bits

BYTES = """
func.func @main(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %one = graph.constant dense<1.0> : tensor<1x1xf32>
  %s = graph.constant dense<0.05> : tensor<1x1xf32>
  %z = graph.constant dense<100> : tensor<1x1xui8>
  %many = graph.constant dense<40.0> : tensor<1x1xf32>
  %q = graph.quantize %x, %s, %z {lamina.source = "q"} : (tensor<2x8xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x8xui8>
  %d = graph.dequantize %q, %s, %z : (tensor<2x8xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x8xf32>
  %m = graph.mul %d, %many : (tensor<2x8xf32>, tensor<1x1xf32>) -> tensor<2x8xf32>
  %r = graph.quantize %m, %s, %z : (tensor<2x8xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x8xui8>
  %y = graph.dequantize %r, %s, %z : (tensor<2x8xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x8xf32>
  func.return %y : tensor<2x8xf32>
}"""  # noqa: E501


def test_each_tensor_is_held_to_a_step_given_those_before_it(validate: Validate) -> None:
    """From end to end, a step of the first tensor is forty of the second one."""
    status, err = validate(BYTES, "one-step")
    assert status == 0, err
    found = re.search(r"one-step: within a step; .*; (\d+) of 128 bytes differ by a step\n", err)
    assert found is not None
    assert int(found[1]) > 64  # those that are 255 cannot be larger


def test_two_steps_are_the_fault_of_the_pass(validate: Validate) -> None:
    status, err = validate(BYTES, "two-steps")
    assert status == 1
    assert (
        "validate: two-steps is declared within a step, but changed what @main stores in 8 bits: "
        "on sample 'normal', tensor 'q', 16 of 16 bytes differ by up to 2 steps; repro" in err
    )


def test_other_tensors_cannot_be_compared_one_by_one(validate: Validate) -> None:
    status, err = validate(BYTES, "store-again")
    assert status == 1
    why = "a result of graph.quantize was not stored in 8 bits before"
    assert f"store-again: within a step; not checked: @main: {why}\n" in err


def test_steps_are_not_seen_in_machine_code(validate: Validate) -> None:
    status, err = validate(BYTES, "one-step", "--validate-budget", "0")
    assert status == 1
    assert "--validate-budget allows, and machine code does not show what is stored" in err


def test_lossy_pass_is_measured(validate: Validate, tmp_path: Path) -> None:
    ranges = tmp_path / "ranges.json"
    ranges.write_text('{"x": [-4.0, 4.0]}')
    text = """
    func.func @main(%x: tensor<8x16xf32> {lamina.input = "x"}) -> tensor<8x4xf32> {
      %w = graph.constant dense<0.3> : tensor<4x16xf32>
      %y = graph.dense %x, %w : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32>
      func.return %y : tensor<8x4xf32>
    }"""
    rounding = f'int8-simulate{{ranges="{ranges}"}}'
    status, err = validate(text, f"int8-annotate{{whole=true}},{rounding},int8-realize")
    assert status == 0, err
    said = r"lossy; interpreted @main on 3 kinds .*; largest difference 0\.0\d+; signal to noise "
    found = re.search(said + r"(\S+) dB, cosine 0\.9999\d\d\n", err)
    assert found is not None, err
    assert 35 < float(found[1]) < 60
    assert "int8-realize: within a step; interpreted @main on 4 kinds" in err
    assert "none of 512 bytes differs" in err
