"""
The vec dialect: what a SIMD machine does, for no machine in particular.

A vector's first dimension is its lanes. A second dimension is a group: `vector<16x4xi8>` has 16
lanes of 4 bytes each. Memory ops also take scalars, as vectors of one lane. Arithmetic is `arith`
and `math` on vectors.
"""

from xdsl.ir import Dialect

from lamina.dialects.vector.arithmetic import RemOp
from lamina.dialects.vector.choice import (
    FLOAT_PREDICATES,
    INTEGER_PREDICATES,
    AnyOp,
    CompareOp,
    SelectOp,
)
from lamina.dialects.vector.lanes import BarrierOp, BitcastOp, ConvertOp, ShuffleOp, SplatLaneOp
from lamina.dialects.vector.memory import (
    GatherOp,
    LoadLikeOp,
    LoadOp,
    LoadRunOp,
    LoadSplatOp,
    LoadStridedOp,
    MemoryOp,
    PrefetchOp,
    StoreOp,
    StoreStridedOp,
)
from lamina.dialects.vector.types import element_of, shape_of

__all__ = [
    "FLOAT_PREDICATES",
    "INTEGER_PREDICATES",
    "AnyOp",
    "BarrierOp",
    "BitcastOp",
    "CompareOp",
    "ConvertOp",
    "GatherOp",
    "LoadLikeOp",
    "LoadOp",
    "LoadRunOp",
    "LoadSplatOp",
    "LoadStridedOp",
    "MemoryOp",
    "PrefetchOp",
    "RemOp",
    "SelectOp",
    "ShuffleOp",
    "SplatLaneOp",
    "StoreOp",
    "StoreStridedOp",
    "Vec",
    "element_of",
    "shape_of",
]

Vec = Dialect(
    "vec",
    [
        LoadOp,
        LoadRunOp,
        LoadSplatOp,
        LoadStridedOp,
        GatherOp,
        StoreOp,
        StoreStridedOp,
        PrefetchOp,
        SplatLaneOp,
        BarrierOp,
        ShuffleOp,
        ConvertOp,
        BitcastOp,
        CompareOp,
        AnyOp,
        SelectOp,
        RemOp,
    ],
    [],
)
