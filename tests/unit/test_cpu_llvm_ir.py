"""Loops, entries and calls of kernels; what is refused; code for every CPU."""

import llvmlite.binding as llvm
import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu.build import native
from lamina.backends.cpu.compiler import assembly
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.machine import describe, targets
from lamina.context import new_context
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def run(text: str, *arrays: np.ndarray) -> None:
    """Call @f of `text` natively; its last array holds the result."""
    native(parse(text), describe("cpu"))["f"](*arrays)


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_carried_values_go_through_every_loop_of_a_nest() -> None:
    x, w, y = floats(6, 4), floats(4, 3, 16), np.zeros((6, 3, 16), np.float32)
    text = """
func.func @f(%x: memref<6x4xf32>, %w: memref<4x3x16xf32>, %y: memref<6x3x16xf32>) {
  loop.for %i < 6, %j < 3 parallel {
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %sum = loop.for %k < 2, %kk < 2, %one < 1 iter(%acc = %zero) : vector<16xf32> {
      %a = vec.load_splat %x[%i, %k * 2 + %kk + %one] : memref<6x4xf32> -> vector<16xf32>
      %b = vec.load %w[%k * 2 + %kk, %j, 0] : memref<4x3x16xf32> -> vector<16xf32>
      %r = math.fma %a, %b, %acc : vector<16xf32>
      loop.yield %r : vector<16xf32>
    }
    vec.store %sum, %y[%i, %j, 0] : vector<16xf32>, memref<6x3x16xf32>
    loop.yield
  }
  func.return
}"""
    run(text, x, w, y)
    np.testing.assert_allclose(y, np.einsum("ik,kjv->ijv", x, w), rtol=1e-5, atol=1e-6)


def test_carried_values_may_trade_places_and_leave_as_they_came() -> None:
    y = np.zeros(3, np.float32)
    text = """
func.func @f(%y: memref<3xf32>) {
  %a = arith.constant 1.0 : f32
  %b = arith.constant 2.0 : f32
  %c = arith.constant 3.0 : f32
  %p, %q, %r = loop.for %i < 3 iter(%x = %a, %y_ = %b, %z = %c) : f32 {
    loop.yield %y_, %x, %z : f32, f32, f32
  }
  vec.store %p, %y[0] : f32, memref<3xf32>
  vec.store %q, %y[1] : f32, memref<3xf32>
  vec.store %r, %y[2] : f32, memref<3xf32>
  func.return
}"""
    run(text, y)
    assert y.tolist() == [2, 1, 3]


def test_entry_calls_kernels_over_the_arena() -> None:
    text = """
func.func private @double(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %b = arith.addf %a, %a : vector<16xf32>
  vec.store %b, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}
func.func private @add(memref<16xf32>, memref<16xf32>, memref<16xf32>)
func.func @main(%x: memref<16xf32> {lamina.input = "x"}, %y: memref<16xf32> {lamina.output = "y"},
                %arena: memref<128xi8> {lamina.arena}) attributes {lamina.entry} {
  %0 = arith.constant 64 : index
  %t = memref.view %arena[%0][] : memref<128xi8> to memref<16xf32>
  func.call @double(%x, %t) : (memref<16xf32>, memref<16xf32>) -> ()
  func.call @double(%t, %y) : (memref<16xf32>, memref<16xf32>) -> ()
  func.return
}"""
    module = parse(text)
    texts = print_module(module, describe("cpu"))
    assert list(texts) == ["double", "main"]
    assert "define void @main(ptr %pointer.table)" in texts["main"]
    x, y, arena = floats(16), np.zeros(16, np.float32), np.zeros(128, np.int8)
    pointers = np.array([a.ctypes.data for a in (x, y, arena)], np.uintp)
    native(module, describe("cpu"))["main"](pointers)
    np.testing.assert_array_equal(y, 4 * x)
    np.testing.assert_array_equal(arena[64:].view(np.float32), 2 * x)


def test_a_part_of_a_kernel_takes_indices() -> None:
    text = """
func.func private @step(%i: index, %x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  %a = vec.load %x[%i, 0] : memref<4x8xf32> -> vector<8xf32>
  vec.store %a, %y[3 - %i, 0] : vector<8xf32>, memref<4x8xf32>
  func.return
}
func.func @f(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  loop.for %i < 4 parallel {
    func.call @step(%i, %x, %y) : (index, memref<4x8xf32>, memref<4x8xf32>) -> ()
  }
  func.return
}"""
    x, y = floats(4, 8), np.zeros((4, 8), np.float32)
    run(text, x, y)
    np.testing.assert_array_equal(y, x[::-1])


def test_arguments_that_may_alias_say_so() -> None:
    text = """
!four = memref<4xf32>
func.func @f(%x: !four {lamina.may_alias}, %y: !four {lamina.may_alias}, %z: !four) {
  func.return
}"""
    line = print_module(parse(text), describe("cpu:haswell"))["f"].splitlines()[0]
    assert line.startswith("define void @f(ptr %x, ptr %y, ptr noalias %z) nounwind")
    assert '"target-cpu"="haswell"' in line


def test_any_name_is_a_symbol() -> None:
    text = """
func.func private @"ein Kern \\22ä\\22"(%y: memref<1xf32>) {
  %a = arith.constant 2.0 : f32
  vec.store %a, %y[0] : f32, memref<1xf32>
  func.return
}
func.func @"1"(%y: memref<1xf32>) {
  func.call @"ein Kern \\22ä\\22"(%y) : (memref<1xf32>) -> ()
  func.return
}"""
    y = np.zeros(1, np.float32)
    native(parse(text), describe("cpu"))["1"](y)
    assert y == 2


def test_argument_names_that_look_like_ours_do_not_clash() -> None:
    y = np.zeros(1, np.float32)
    text = """
func.func @f(%v1: memref<1xf32>, %"v2": memref<1xf32>) {
  %a = vec.load %v1[0] : memref<1xf32> -> f32
  %b = arith.addf %a, %a : f32
  vec.store %b, %v2[0] : f32, memref<1xf32>
  func.return
}""".replace('"', "")
    run(text, np.ones(1, np.float32), y)
    assert y == 2


BODY = "func.func @f(%x: memref<16xf32>, %d: memref<?x?xf32>) {{ {} func.return }}"
REFUSED = {
    "%a = vec.load %x[0] : memref<16xf32> -> f32 %b = math.exp %a : f32": "@f: no LLVM for math.e",
    "%m = memref.alloc() : memref<4xf32>": "@f: no LLVM for memref.alloc; run plan-memory",
    "%m = memref.alloca() : memref<300000xf32>": "1200000 bytes, at most 1048576",
    "%c = arith.constant 0 : index %a = memref.load %d[%c, %c] : memref<?x?xf32>": "strides",
    "%c = arith.constant 9 : index %a = memref.alloca(%c) : memref<?xf32>": "a static size",
    "%a = vec.load %x[0] : memref<16xf32> -> f32 %b = vec.convert %a : f32 to bf16": "no LLVM type",
}


@pytest.mark.parametrize("body", REFUSED)
def test_what_has_no_translation_is_named(body: str) -> None:
    with pytest.raises(DiagnosticException, match=REFUSED[body]):
        print_module(parse(BODY.format(body)), describe("cpu"))


def test_functions_that_are_no_kernels_are_refused() -> None:
    cpu = describe("cpu")
    with pytest.raises(
        DiagnosticException, match="@f: argument 0 needs a memref or an index, got f32"
    ):
        print_module(parse("func.func @f(%x: f32) { func.return }"), cpu)
    entry = "func.func @f(%x: index) attributes {lamina.entry} { func.return }"
    with pytest.raises(DiagnosticException, match="@f: argument 0 of an entry needs a memref, got"):
        print_module(parse(entry), cpu)
    with pytest.raises(DiagnosticException, match="@f: a function returns nothing"):
        print_module(parse("func.func @f(%x: f32) -> f32 { func.return %x : f32 }"), cpu)
    with pytest.raises(DiagnosticException, match="LLVM needs a cpu target, got opencl:portable"):
        print_module(parse("builtin.module {}"), describe("opencl:portable"))


EVERYTHING = """
func.func @f(%x: memref<64xf32>, %b: memref<64xi8>, %y: memref<64xf32>, %z: memref<16xi32>) {
  %u = vec.load %x[0] : memref<64xf32> -> vector<16xf32>
  %v = vec.load_strided %x[0] stride 3 : memref<64xf32> -> vector<16xf32>
  %m = arith.maximumf %u, %v : vector<16xf32>
  %r = math.fma %u, %v, %m : vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<64xf32>
  %i = vec.convert %r : vector<16xf32> to vector<16xi32>
  %p = vec.load %b[0] : memref<64xi8> -> vector<16x4xi8>
  %s = int8.dot4 %i, %p, %p : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  vec.store %s, %z[0] : vector<16xi32>, memref<16xi32>
  func.return
}"""


def everything(target: str) -> ModuleOp:
    module = parse(EVERYTHING)
    Int8LowerDot4Pass(target).apply(Context(), module)
    return module


@pytest.mark.parametrize("target", [t for t in targets() if t.startswith("cpu")])
def test_code_is_generated_for_every_cpu_we_name(target: str) -> None:
    """An instruction the CPU lacks would abort the process."""
    machine = describe(target)
    code = assembly(print_module(everything(target), machine)["f"], machine)
    assert ("vpdpbusd" in code) == machine.dot4
    assert ("zmm" in code) == (machine.vector_bytes == 64)


def test_text_is_what_llvm_verifies() -> None:
    for text in print_module(everything("cpu:haswell"), describe("cpu:haswell")).values():
        llvm.parse_assembly(text).verify()
