"""Networks on several devices: what changes from one to another, and who may touch a buffer."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import MemRefType, StringAttr, SymbolRefAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure, SymbolTable, SymbolUserOpInterface
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from lamina.dialects.elements import ANY
from lamina.dialects.graph.attributes import layout_of, verify_tensors

PLACED = "placed"
"""Discardable attribute of an op of a network: why its device is this one, for the user."""


@irdl_op_definition
class DeviceCopyOp(IRDLOperation):
    """
    The same tensor where device `to` can read it, written by `source`; the CPU's targets stand for
    the host. Where the two share memory, nothing is moved.

    %y = graph.device_copy %x {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x64x8x8xf32> -> tensor<1x64x8x8xf32>
    """  # noqa: E501

    name = "graph.device_copy"

    x = operand_def(TensorType)
    source = prop_def(StringAttr)
    to = prop_def(StringAttr)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, source: str, to: str) -> None:
        properties = {"source": StringAttr(source), "to": StringAttr(to)}
        super().__init__(operands=[x], properties=properties, result_types=[x.type])

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        if self.x.type != self.y.type:
            raise VerifyException(
                f"a copy is stored as the original, got {self.x.type} -> {self.y.type}; put a "
                "graph.relayout beside it"
            )
        if self.source == self.to:
            raise VerifyException(f"needs two devices, got twice {self.source}")


class _HandsOver(IRDLOperation):
    """A buffer that the host and `device` share goes from one to the other."""

    buffer = operand_def(MemRefType)
    device = prop_def(StringAttr)

    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$buffer attr-dict `:` type($buffer)"

    def __init__(self, buffer: SSAValue, device: str) -> None:
        super().__init__(operands=[buffer], properties={"device": StringAttr(device)})


@irdl_op_definition
class MapOp(_HandsOver):
    """
    Wait for what `device` does with a buffer that it shares with the host, and hand it to the host.

    graph.map %b {device = "opencl:intel-gen9"} : memref<1x4x8x8x16xf32>
    """

    name = "graph.map"


@irdl_op_definition
class UnmapOp(_HandsOver):
    """
    Hand a buffer that is in the host's hands to `device`; the host must not touch it afterwards.

    graph.unmap %b {device = "opencl:intel-gen9"} : memref<1x4x8x8x16xf32>
    """

    name = "graph.unmap"


class _RunsRegion(SymbolUserOpInterface):
    """The buffers are storage of the region's arguments, then of its results."""

    def verify(self, op: Operation) -> None:
        assert isinstance(op, RunOp), op
        if op.parent_op() is None:
            return  # alone, in no module
        region = SymbolTable.lookup_symbol(op, op.region)
        if not isinstance(region, FuncOp):
            raise VerifyException(f"there is no function {op.region} to run")
        tensors = [*region.function_type.inputs.data, *region.function_type.outputs.data]
        given = [x.type for x in op.buffers]
        if len(given) != len(tensors):
            raise VerifyException(
                f"{op.region} needs a buffer for each of {len(tensors)} arguments and results, "
                f"got {len(given)}"
            )
        for number, (tensor, buffer) in enumerate(zip(tensors, given, strict=True)):
            if not isa(tensor, TensorType):
                raise VerifyException(f"{op.region} must be on tensors, got {tensor}")
            stored = layout_of(tensor).apply_shape(tensor.get_shape())
            if (needed := MemRefType(tensor.element_type, stored)) != buffer:
                raise VerifyException(
                    f"buffer {number} of {op.region} must be {needed}, got {buffer}"
                )


@irdl_op_definition
class RunOp(IRDLOperation):
    """
    Run a region of the network, a function on tensors, on buffers that store its arguments, and
    then its results.

    graph.run @region0_opencl(%x, %y) : memref<1x3x8x8xf32>, memref<1x4x8x8x16xf32>
    """

    name = "graph.run"

    region = prop_def(SymbolRefAttr)
    buffers = var_operand_def(MemRefType)

    traits = traits_def(_RunsRegion())
    assembly_format = "$region `(` $buffers `)` attr-dict `:` type($buffers)"

    def __init__(self, region: str, buffers: Sequence[SSAValue]) -> None:
        super().__init__(operands=[buffers], properties={"region": SymbolRefAttr(region)})
