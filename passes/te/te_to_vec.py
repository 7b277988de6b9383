"""Turn every `te.compute`, by now one register tile, into loops over vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.te import ComputeOp, ConstantOp, Te
from lamina.passes._legality import require_lowered
from lamina.passes.te._directives import kernel_of
from lamina.passes.te._tile import Tile
from lamina.passes.te._tile_legality import refusal
from lamina.passes.te._tile_sums import begin_anew, begin_with


@dataclass(frozen=True)
class TeToVecPass(ModulePass):
    """
    Turn every `te.compute`, by now one register tile, into loops over vectors.

    te.compute axes(reduce ic: 16, ow: 2 unroll, oc: 16 vector) ins(%x[ow, ic], %w[ic, oc]) ...
    ->
    %a, %b = loop.for %ic < 16 iter(%c = %zero, %d = %zero) : vector<16xf32> { two splats of %x, one
    load of %w, two fma }, then the epilogue on %a and %b and two stores.

    Rolled reductions become one nest that carries the accumulators; unrolled axes become copies of
    the body in the order of the axes, with equal loads made once; the vector axis becomes lanes. A
    long sum is made of the sums of groups of its terms, which loses fewer digits; one of integers
    begins with what the epilogue would add to it.
    """

    name = "te-to-vec"
    numerics: ClassVar[str] = "tolerance 1e-5"  # long sums change their order

    terms: int = 256
    """the most terms of a group, of which a long sum has 4 or more; 0: all are added in order"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = [o for o in op.walk() if isinstance(o, ComputeOp)]
        for te in found:
            if fault := refusal(te):
                kernel = kernel_of(te)
                raise PassFailedException(f"te-to-vec: {fault}{f' (@{kernel})' * bool(kernel)}")
        for te in found:
            Tile(te, begin_anew(te, self.terms), begin_with(te)).emit()
            te.detach()
            te.erase()
        for table in [o for o in op.walk() if isinstance(o, ConstantOp) and not o.res.uses]:
            table.detach()
            table.erase()
        require_lowered(op, Te, by=self.name)
