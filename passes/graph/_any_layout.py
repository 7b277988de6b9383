"""Ops that take each element from where it lies and put it where it belongs."""

from __future__ import annotations

from lamina.dialects.graph import (
    ConcatOp,
    DepthToSpaceOp,
    GatherOp,
    InterleaveOp,
    RepeatOp,
    SliceOp,
    SpaceToDepthOp,
    TakeOp,
    TileOp,
    TransposeOp,
)

MOVERS = (
    ConcatOp,
    DepthToSpaceOp,
    GatherOp,
    InterleaveOp,
    RepeatOp,
    SliceOp,
    SpaceToDepthOp,
    TakeOp,
    TileOp,
    TransposeOp,
)
"""ops that only move elements: each operand and the result may be stored in any way at all"""
