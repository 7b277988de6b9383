"""What Winograd's filtering is possible for, and the rewrite of one convolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import TensorType, f32
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter

from lamina.dialects.graph import (
    ConstantOp,
    Conv2dOp,
    RelayoutOp,
    WinogradInputOp,
    WinogradOutputOp,
    inherit_source,
    layout_of,
    shape,
    stored_as,
    tensor_type,
)
from lamina.dialects.graph.constants import array_of, key_of
from lamina.dialects.graph.winograd import TAPS, transforms
from lamina.dialects.layout import Layout
from lamina.passes.graph._layout_blocks import output_block
from lamina.weights import WeightStore


def weights_before(value: SSAValue) -> ConstantOp | None:
    """The constant that `value` is, in whatever layout."""
    while isinstance(value.owner, RelayoutOp):
        value = value.owner.x
    return value.owner if isinstance(value.owner, ConstantOp) else None


def applicable(op: Conv2dOp) -> bool:
    """Whether tiles can compute `op`: a window of 3 x 3 neighbours everywhere, constant weights."""
    x, y = layout_of(op.x.type), layout_of(op.y.type)
    return (
        op.window() == (TAPS, TAPS)
        and set(op.strides.get_values()) == set(op.dilation()) == {1}
        and op.groups.value.data == 1
        and tensor_type(op.x).element_type == f32
        and x.text == y.text
        and x.text in ("NCHW", f"NCHW{x.block('C')}c")
        and weights_before(op.w) is not None
    )


def filters(w: np.ndarray, tile: int, whole: Sequence[int], layout: Layout) -> np.ndarray:
    """The storage of G g G^T of every window: `whole` (outputs, inputs) an element of tiles."""
    g = np.array(transforms(tile).g)
    elements = len(g) ** 2
    outputs, inputs = w.shape[:2]
    products = np.kron(g, g) @ w.reshape(outputs * inputs, -1).T.astype(np.float64)
    u = np.zeros((elements, *whole), np.float32)
    u[:, :outputs, :inputs] = products.reshape(elements, outputs, inputs)
    return layout.apply_array(u.reshape(elements * whole[0], whole[1], 1, 1))


def transformed(op: Conv2dOp, tile: int, store: WeightStore) -> ConstantOp:
    """The weights of `op` for tiles, in the order in which the product of tiles reads them."""
    constant = weights_before(op.w)
    assert constant is not None, "applicable(op)"
    block = layout_of(op.x.type).block("C")
    outputs, inputs = whole = [-(-n // block) * block for n in shape(op.w)[:2]]
    text = f"OIHW{block}i{output_block(outputs)}o" if block > 1 else "OIHW"
    layout = Layout.parse(text)
    size = [(tile + TAPS - 1) ** 2 * outputs, inputs, 1, 1]
    key = store.derive(
        f"tiles of {tile}, {layout} of {size}",
        [key_of(constant, store)],
        lambda: filters(array_of(constant, store), tile, whole, layout),
    )
    return ConstantOp(key, stored_as(TensorType(f32, size), layout))


def expand(op: Conv2dOp, tile: int, rewriter: PatternRewriter, store: WeightStore) -> None:
    """
    conv2d(x, w) -> winograd_output(conv2d(winograd_input(x), u)), u in as many groups as a tile has
    elements; channels fill blocks up, so that no block is of two groups.
    """
    u = transformed(op, tile, store)
    x, y = layout_of(op.x.type), layout_of(op.y.type)
    elements = (tile + TAPS - 1) ** 2
    batch, _, height, width = shape(op.y)
    tiles = [batch, elements * shape(u.result)[1], -(-height // tile), -(-width // tile)]
    type = stored_as(TensorType(f32, tiles), x.with_halo(()))
    before = WinogradInputOp(op.x, tile, op.pads.get_values(), type)
    type = stored_as(TensorType(f32, [batch, shape(u.result)[0], *tiles[2:]]), y.with_halo(()))
    product = Conv2dOp(before.y, u.result, groups=elements, y=type)
    after = WinogradOutputOp(product.y, op.bias, tile, op.y.type)
    inherit_source(after, op)
    after.y.name_hint = op.y.name_hint
    rewriter.replace(op, [u, before, product, after])
