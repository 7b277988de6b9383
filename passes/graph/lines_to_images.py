"""Let what lies between windows over lines work on images of height 1, as the windows do."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    SOURCE,
    BatchNormOp,
    ConcatOp,
    ConstantOp,
    PointwiseOp,
    RepeatOp,
    ResampleOp,
    ReshapeOp,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import array_of, constant
from lamina.dialects.graph.windows import ints
from lamina.weights import WeightStore

LINES, CHANNELS = 3, 1
"""the rank of [n, c, l], and its dimension of channels"""


def as_image(size: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of lines [n, c, l] as images of height 1."""
    return (*size[:2], 1, size[2])


def image_of(x: SSAValue) -> SSAValue | None:
    """The images of height 1 whose lines `x` is, if a reshape made them lines."""
    if len(shape(x)) != LINES or not isinstance(reshape := x.owner, ReshapeOp):
        return None
    return reshape.x if shape(reshape.x) == as_image(shape(x)) else None


def on_images(op: Operation) -> dict[str, Attribute]:
    """The properties of `op` if it works on images: what was along the line is along the width."""
    if not isinstance(op, ResampleOp):
        return op.properties
    return op.properties | {"axes": ints([d + (d > CHANNELS) for d in op.axes.get_values()])}


class WorkOnImages(RewritePattern):
    """op(reshape(x: nc1l -> ncl), ...) -> reshape(op(x, ...): nc1l -> ncl)"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, PointwiseOp | BatchNormOp | ConcatOp | RepeatOp | ResampleOp):
            return
        if isinstance(op, ConcatOp) and op.axis.value.data > CHANNELS:
            return
        y = op.results[0]
        if len(shape(y)) != LINES or not any(image_of(x) for x in op.operands):
            return
        new = type(op).create(
            operands=[self.image(x, rewriter) for x in op.operands],
            properties=on_images(op),
            attributes=op.attributes,
            result_types=[TensorType(tensor_type(y).element_type, as_image(shape(y)))],
        )
        back = ReshapeOp(new.results[0], y.type)
        inherit_source(back, op)
        rewriter.replace(op, [new, back])
        new.results[0].name_hint = back.y.name_hint

    def image(self, x: SSAValue, rewriter: PatternRewriter) -> SSAValue:
        """Lines as images of height 1; what is no lines, such as a number per channel, as it is."""
        if len(shape(x)) != LINES:
            return x
        if (found := image_of(x)) is not None:
            return found
        if isinstance(x.owner, ConstantOp):
            array = array_of(x.owner, self.store)
            new = constant(array.reshape(as_image(array.shape)), self.store)
            if SOURCE in x.owner.attributes:
                new.attributes[SOURCE] = x.owner.attributes[SOURCE]
            rewriter.insert(new)
            return new.result
        op = ReshapeOp(x, TensorType(tensor_type(x).element_type, as_image(shape(x))))
        rewriter.insert(op)
        return op.y


class StayImages(RewritePattern):
    """reshape(reshape(x: nc1l -> ncl): ncl -> nc1l) -> x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        if (x := image_of(op.x)) is not None and x.type == op.y.type:
            rewriter.replace(op, [], [x])


class LinesToImagesPass(ModulePass):
    """
    Let pointwise ops, batch norms, concats and resizing beside windows over lines work on images.

    Windows over lines [n, c, l] are windows over images [n, c, 1, l] between reshapes. Where those
    meet they cancel, so that what is between two windows joins their kernels and layouts.
    """

    name = "lines-to-images"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: list[RewritePattern] = [WorkOnImages(weights_of(ctx)), StayImages()]
        PatternRewriteWalker(GreedyRewritePatternApplier(patterns)).rewrite_module(op)
        for reshape in reversed([r for r in op.walk() if isinstance(r, ReshapeOp)]):
            if not reshape.y.uses:
                reshape.detach()
                reshape.erase()
