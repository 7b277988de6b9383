"""Compute convolutions from fewer products where that is faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.utils.exceptions import PassFailedException

from lamina.backends.machine import Machine
from lamina.context import weights_of
from lamina.dialects.graph import Conv2dOp
from lamina.dialects.graph.winograd import POINTS
from lamina.passes._machine import machine_of
from lamina.passes.graph._devices import device_of
from lamina.passes.graph._winograd import applicable, expand
from lamina.passes.graph._winograd_cost import fastest_tile
from lamina.weights import WeightStore


class TileConvolution(RewritePattern):
    """conv2d(x, w) -> winograd_output(conv2d(winograd_input(x), G w G^T) in groups)"""

    def __init__(self, tile: int | None, machine: Machine, store: WeightStore) -> None:
        self.tile, self.machine, self.store = tile, machine, store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2dOp, rewriter: PatternRewriter, /) -> None:
        if not applicable(op) or device_of(op) not in (None, self.machine.name):
            return
        if tile := self.tile or fastest_tile(op, self.machine):
            expand(op, tile, rewriter, self.store)


@dataclass(frozen=True)
class WinogradConvolutionsPass(ModulePass):
    """
    Compute 3 x 3 convolutions tile by tile, by Winograd's minimal filtering, where that is faster.

    Tiles of 4 x 4 results take a quarter of the products, tiles of 2 x 2 take 1 in 2.25; but tiles
    have to be transformed, and transformed weights are 4 or 1.8 times as many. A formula of the
    machine decides. Results are sums of other products: their rounding errors are larger.
    Convolutions that were given to another device stay.
    """

    name = "winograd-convolutions"
    numerics: ClassVar[str] = "tolerance 2e-5 of finite"

    target: str = "cpu"
    """the machine to choose for: `cpu`, `cpu:haswell`, ..."""
    tile: int | None = None
    """2 or 4: the tile of every convolution for which there is one, instead of the fastest"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.tile is not None and self.tile not in POINTS:
            known = " or ".join(map(str, POINTS))
            raise PassFailedException(f"{self.name}: tile must be {known}, got {self.tile}")
        pattern = TileConvolution(self.tile, machine_of(self.target, by=self.name), weights_of(ctx))
        PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(op)
