"""What a launcher needs to know of a kernel, beside its text."""

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.machine import describe
from lamina.backends.opencl.printer import print_module
from lamina.context import new_context

GEN9 = describe("opencl:intel-gen9")


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def test_grid_is_innermost_first() -> None:
    grid = "attributes {lamina.grid = array<i64: 2, 1, 0>}"
    text = f"func.func @f() {{ loop.for %i < 2, %j < 3, %k < 4 parallel {grid} {{}} func.return }}"
    (kernel,) = print_module(parse(text), GEN9)["f"]
    assert (kernel.name, kernel.grid) == ("f", (4, 3, 2))


def test_kernel_is_given_the_buffers_that_it_uses() -> None:
    text = """
    func.func @f(%x: memref<4xf32>, %y: memref<4xf32>, %z: memref<4xf32>) {
      loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>} {
        %v = vec.load %y[%i] : memref<4xf32> -> f32
        vec.store %v, %z[%i] : f32, memref<4xf32>
      }
      loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>} {
        %v = vec.load %z[%i] : memref<4xf32> -> f32
        vec.store %v, %x[%i] : f32, memref<4xf32>
      }
      func.return
    }"""
    first, second = print_module(parse(text), GEN9)["f"]
    assert (first.name, first.arguments) == ("f_nest0", (1, 2))
    assert (second.name, second.arguments) == ("f_nest1", (0, 2))


def test_kernel_without_parallel_loop_is_one_group() -> None:
    text = "func.func private @only_declared() func.func @f() { func.return }"
    (kernel,) = print_module(parse(text), GEN9)["f"]
    assert (kernel.name, kernel.grid) == ("f", (1, 1, 1))


def test_words_of_c_are_no_names() -> None:
    text = """
    func.func @f(%kernel: memref<4xf32>, %x.y: memref<4xf32>) {
      loop.for %for < 2, %lane < 2 {
        %fma = vec.load %kernel[%for * 2 + %lane] : memref<4xf32> -> f32
        vec.store %fma, %x.y[%for * 2 + %lane] : f32, memref<4xf32>
      }
      func.return
    }"""
    (kernel,) = print_module(parse(text), GEN9)["f"]
    assert "const float fma_1 = kernel_1[for_1 * 2 + lane_1];" in kernel.source
    assert "x_y[for_1 * 2 + lane_1] = fma_1;" in kernel.source


def test_cpu_is_no_opencl_device() -> None:
    with pytest.raises(
        DiagnosticException, match="kernels are for OpenCL devices, got cpu:haswell"
    ):
        print_module(parse("func.func @f() { func.return }"), describe("cpu:haswell"))
