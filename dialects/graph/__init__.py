"""
The graph dialect: a network as whole-tensor operations, each tensor with a layout.

Shapes in types are logical; how a tensor is stored is the encoding of its type, so an op means the
same in every layout. Weights are keys of arrays in the store of the context, never text.
"""

from xdsl.ir import Dialect

from lamina.dialects.graph.attributes import (
    SOURCE,
    LayoutAttr,
    broadcast_shape,
    inherit_source,
    layout_of,
    shape,
    stored_as,
    tensor_type,
)
from lamina.dialects.graph.core import ConstantOp, FusedOp, RelayoutOp, YieldOp
from lamina.dialects.graph.movement import ConcatOp, ReshapeOp, TransposeOp
from lamina.dialects.graph.network import BatchNormOp, DenseOp, SoftmaxOp
from lamina.dialects.graph.pointwise import (
    AddOp,
    BinaryOp,
    ClipOp,
    DivOp,
    ErfOp,
    ExpOp,
    MaximumOp,
    MinimumOp,
    MulOp,
    PointwiseOp,
    ReluOp,
    SigmoidOp,
    SqrtOp,
    SubOp,
    TanhOp,
    UnaryOp,
)
from lamina.dialects.graph.windows import (
    AvgPool2dOp,
    Conv2dOp,
    GlobalAvgPoolOp,
    MaxPool2dOp,
    PoolOp,
    WindowOp,
)

Graph = Dialect(
    "graph",
    [
        AddOp,
        AvgPool2dOp,
        BatchNormOp,
        ClipOp,
        ConcatOp,
        ConstantOp,
        Conv2dOp,
        DenseOp,
        DivOp,
        ErfOp,
        ExpOp,
        FusedOp,
        GlobalAvgPoolOp,
        MaximumOp,
        MaxPool2dOp,
        MinimumOp,
        MulOp,
        ReluOp,
        RelayoutOp,
        ReshapeOp,
        SigmoidOp,
        SoftmaxOp,
        SqrtOp,
        SubOp,
        TanhOp,
        TransposeOp,
        YieldOp,
    ],
    [LayoutAttr],
)

__all__ = [
    "SOURCE",
    "AddOp",
    "AvgPool2dOp",
    "BatchNormOp",
    "BinaryOp",
    "ClipOp",
    "ConcatOp",
    "ConstantOp",
    "Conv2dOp",
    "DenseOp",
    "DivOp",
    "ErfOp",
    "ExpOp",
    "FusedOp",
    "GlobalAvgPoolOp",
    "Graph",
    "LayoutAttr",
    "MaxPool2dOp",
    "MaximumOp",
    "MinimumOp",
    "MulOp",
    "PointwiseOp",
    "PoolOp",
    "RelayoutOp",
    "ReluOp",
    "ReshapeOp",
    "SigmoidOp",
    "SoftmaxOp",
    "SqrtOp",
    "SubOp",
    "TanhOp",
    "TransposeOp",
    "UnaryOp",
    "WindowOp",
    "YieldOp",
    "broadcast_shape",
    "inherit_source",
    "layout_of",
    "shape",
    "stored_as",
    "tensor_type",
]
