"""Networks on several devices: the meaning of their ops, and of random splits."""

from __future__ import annotations

import numpy as np
from xdsl.parser import Parser

from lamina import interpreters
from lamina.context import new_context


def test_regions_are_interpreted_on_storage():
    text = """
    func.func private @region0_opencl(%x: tensor<1x3x2x2xf32>)
        -> tensor<1x3x2x2xf32, #graph.layout<NCHW4c>> {
      %r = graph.relu %x : tensor<1x3x2x2xf32> -> tensor<1x3x2x2xf32>
      %c = graph.device_copy %r {source = "cpu", to = "opencl:intel-xe"}
        : tensor<1x3x2x2xf32> -> tensor<1x3x2x2xf32>
      %y = graph.relayout %c
        : tensor<1x3x2x2xf32> -> tensor<1x3x2x2xf32, #graph.layout<NCHW4c>>
      func.return %y : tensor<1x3x2x2xf32, #graph.layout<NCHW4c>>
    }
    func.func @main(%x: memref<1x3x2x2xf32>, %y: memref<1x1x2x2x4xf32>) {
      graph.unmap %x {device = "opencl:intel-xe"} : memref<1x3x2x2xf32>
      graph.run @region0_opencl(%x, %y) : memref<1x3x2x2xf32>, memref<1x1x2x2x4xf32>
      graph.map %y {device = "opencl:intel-xe"} : memref<1x1x2x2x4xf32>
      func.return
    }"""
    module = Parser(new_context(), text).parse_module()
    module.verify()
    x = np.random.default_rng(0).standard_normal((1, 3, 2, 2)).astype(np.float32)
    (y,) = interpreters.call(module, "main", [x])
    needed = np.zeros((1, 1, 2, 2, 4), np.float32)
    needed[0, 0, :, :, :3] = np.maximum(x[0], 0).transpose(1, 2, 0)
    np.testing.assert_array_equal(y, needed)
