"""Every element has one place in storage; all else is zero, or in a halo what it is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.parser import Parser

from lamina.context import new_context
from lamina.dialects.expr import Expr, constant
from lamina.dialects.graph import LayoutAttr
from lamina.dialects.layout import Layout

FOUR = ("NCHW", "OIHW", "ABEF")
ANY = (*FOUR, "C", "NC", "NCW", "NCDHW")

Index = tuple[np.ndarray, ...]


@st.composite
def layouts(draw: st.DrawFn, dimensions: Sequence[str] = ANY) -> Layout:
    """Dimensions in any order, up to three blocks, a halo around what is not blocked."""
    letters = draw(st.sampled_from(dimensions))
    outer = "".join(draw(st.permutations(letters)))
    block = st.tuples(st.sampled_from([2, 3, 4, 16]), st.sampled_from(letters.lower()))
    blocks = draw(st.lists(block, max_size=3))
    text = outer + "".join(f"{n}{c}" for n, c in blocks)
    plain = Layout.parse(text)
    sides = st.tuples(st.integers(0, 2), st.integers(0, 2))
    depth = draw(st.integers(0, len(letters)))
    halo = [
        draw(sides) if plain.block(letter) == 1 else (0, 0)
        for letter in plain.logical[len(letters) - depth :]
    ]
    return Layout.parse(text, halo)


@st.composite
def stored(draw: st.DrawFn, dimensions: Sequence[str] = ANY) -> tuple[Layout, np.ndarray]:
    """A layout, and an array without zeros to store in it."""
    layout = draw(layouts(dimensions))
    shape = [draw(st.integers(1, 7)) for _ in range(layout.rank)]
    return layout, np.arange(1, prod(shape) + 1, dtype=np.float32).reshape(shape)


def everywhere(shape: Sequence[int]) -> tuple[list[Expr], dict[str, np.ndarray]]:
    """An index expression per dimension, and the values that make them visit each element."""
    values = {f"d{i}": axis for i, axis in enumerate(np.indices(shape))}
    return [Expr(((name, 1),)) for name in values], values


def evaluate(index: Sequence[Expr], values: dict[str, np.ndarray], like: np.ndarray) -> Index:
    return tuple(np.broadcast_to(e.evaluate(values), like.shape) for e in index)


@given(stored())
def test_array_comes_back_from_storage(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    np.testing.assert_array_equal(layout.invert_array(layout.apply_array(x), x.shape), x)


@given(stored())
def test_storage_has_the_shape_that_apply_shape_says(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    assert layout.apply_array(x).shape == layout.apply_shape(x.shape)
    assert len(layout.dims) == len(layout.apply_shape(x.shape))


@given(stored())
def test_padding_is_zero_and_nothing_else_is(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    storage = layout.apply_array(x)
    assert np.count_nonzero(storage) == x.size
    assert storage.sum(dtype=np.float64) == x.sum(dtype=np.float64)


@given(stored())
def test_halo_holds_its_fill_and_the_rest_of_a_block_zeros(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    zeros = layout.apply_array(x)
    more = layout.with_halo(layout.halo, 7).apply_array(x) - zeros
    assert set(np.unique(more)) <= {0, 7}
    assert np.count_nonzero(more) == zeros.size - prod(layout.padded(x.shape))
    assert not zeros[more != 0].any()


@given(stored())
def test_index_map_finds_each_element(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    index, values = everywhere(x.shape)
    place = evaluate(layout.apply(index), values, x)
    np.testing.assert_array_equal(layout.apply_array(x)[place], x)


@given(stored())
def test_inverse_index_map_undoes_the_index_map(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    index, values = everywhere(x.shape)
    back = evaluate(layout.invert(layout.apply(index)), values, x)
    for found, wanted in zip(back, values.values(), strict=True):
        np.testing.assert_array_equal(found, wanted)


@given(stored(FOUR), layouts(FOUR))
def test_composition_leads_from_one_storage_to_the_other(
    case: tuple[Layout, np.ndarray], to: Layout
) -> None:
    layout, x = case
    index, values = everywhere(x.shape)
    place = evaluate(layout.compose(to, layout.apply(index)), values, x)
    np.testing.assert_array_equal(to.apply_array(x)[place], x)


@given(layouts(), st.integers(-128, 255))
def test_text_is_read_back(layout: Layout, fill: int) -> None:
    attribute = LayoutAttr(layout.with_halo(layout.halo, fill))
    assert Parser(new_context(), str(attribute)).parse_attribute() == attribute


@given(layouts())
def test_halo_can_be_taken_off_and_put_back(layout: Layout) -> None:
    assert layout.with_halo(()).with_halo(layout.halo) == layout
    assert not any(map(any, layout.with_halo(()).halo))
    assert layout.with_halo(layout.halo, 3).with_halo(()) == layout.with_halo(())


@given(stored())
def test_padded_shape_is_what_whole_blocks_cover(case: tuple[Layout, np.ndarray]) -> None:
    layout, x = case
    inner = layout.with_halo(())
    assert prod(layout.padded(x.shape)) == prod(inner.apply_shape(x.shape))


@pytest.mark.parametrize("rank", range(9))
def test_plain_layout_stores_the_array_itself(rank: int) -> None:
    layout, x = Layout.plain(rank), np.arange(2**rank).reshape((2,) * rank)
    assert layout.is_plain
    assert layout.rank == rank
    assert layout.apply_shape(x.shape) == x.shape
    np.testing.assert_array_equal(layout.apply_array(x), x)


def test_nchw16c_puts_16_channels_innermost() -> None:
    layout = Layout.parse("NCHW16c", [(1, 1), (1, 2)])
    assert layout.apply_shape((1, 40, 5, 6)) == (1, 3, 7, 9, 16)
    assert layout.padded((1, 40, 5, 6)) == (1, 48, 5, 6)
    place = layout.apply([constant(n) for n in (0, 35, 2, 3)])
    assert [e.const for e in place] == [0, 2, 3, 4, 3]
    assert layout.block("C") == 16
    assert layout.sides(3) == (1, 2)
    assert str(layout) == "NCHW16c, halo [1:1, 1:2]"


def test_oihw16i64o_blocks_two_dimensions() -> None:
    layout = Layout.parse("OIHW16i64o")
    assert layout.apply_shape((128, 3, 7, 7)) == (2, 1, 7, 7, 16, 64)
    place = layout.apply([constant(n) for n in (100, 2, 5, 6)])
    assert [e.const for e in place] == [1, 0, 5, 6, 2, 36]


def test_block_in_a_block_splits_it_again() -> None:
    layout = Layout.parse("OIHW16i16o4i")
    assert layout.apply_shape((16, 64, 1, 1)) == (1, 1, 1, 1, 16, 16, 4)
    place = layout.apply([constant(n) for n in (3, 27, 0, 0)])
    assert [e.const for e in place] == [0, 0, 0, 0, 6, 3, 3]


def test_nhwc_is_a_permutation_of_the_logical_order() -> None:
    layout = Layout.parse("NHWC")
    assert layout.logical == "NCHW"
    assert layout.apply_shape((1, 3, 4, 5)) == (1, 4, 5, 3)
    assert not layout.is_plain


def test_layouts_of_different_rank_do_not_compose() -> None:
    with pytest.raises(ValueError, match="layout NC is of 2 dimensions, NCHW16c of 4"):
        Layout.parse("NC").compose(Layout.parse("NCHW16c"), [constant(0)] * 2)


@pytest.mark.parametrize(
    ("text", "halo", "message"),
    [
        ("nchw", [], "bad layout 'nchw': needs upper-case dimensions, then blocks such as 16c"),
        ("NCHWc", [], "bad layout 'NCHWc'"),
        ("", [], "layout '' must name each dimension once in upper case"),
        ("NCCW", [], "layout 'NCCW' must name each dimension once"),
        ("NHW16c", [], "layout 'NHW16c' blocks 'c', which is not a dimension of it"),
        ("NCHW1c", [], "layout 'NCHW1c' has a block of 1; a block needs 2 or more"),
        ("NC", [(1, 1)] * 3, "layout 'NC' has 2 dimensions, its halo 3"),
        ("NCHW4w", [(1, 1)], "layout 'NCHW4w' cannot have a halo around blocked 'W'"),
    ],
)
def test_bad_layout_is_refused(text: str, halo: Sequence[tuple[int, int]], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Layout.parse(text, halo)


@st.composite
def parts(draw: st.DrawFn) -> tuple[Layout, np.ndarray, list[int], list[int]]:
    """A stored array, and the start and size of a part of it, which is often cut along one axis."""
    layout, x = draw(stored())
    cut = draw(st.one_of(st.integers(0, x.ndim - 1), st.none()))
    starts, sizes = [0] * x.ndim, list(x.shape)
    for d, n in enumerate(x.shape):
        if cut in (d, None):
            starts[d] = draw(st.integers(0, n - 1))
            sizes[d] = draw(st.integers(1, n - starts[d]))
    return layout, x, starts, sizes


@given(parts())
def test_part_is_a_run_of_bytes_stored_as_it_is_alone(
    given: tuple[Layout, np.ndarray, list[int], list[int]],
) -> None:
    layout, x, starts, sizes = given
    part = x[tuple(slice(s, s + n) for s, n in zip(starts, sizes, strict=True))]
    alone, whole = layout.apply_array(part).ravel(), layout.apply_array(x)
    at = layout.part(x.shape, sizes, starts)
    if at is not None:
        first = int(np.ravel_multi_index(at, whole.shape))
        assert np.array_equal(whole.ravel()[first : first + alone.size], alone)
    elif layout.text == layout.with_halo(()).logical:  # unblocked, row-major
        first = int(np.flatnonzero(whole.ravel() == part.flat[0])[0])
        assert layout.halo or not np.array_equal(whole.ravel()[first : first + alone.size], alone)
