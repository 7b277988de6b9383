"""Sums of products of bytes as floats: the same integers, however large and many they are."""

from collections.abc import Sequence
from math import prod

import numpy as np
import pytest
from xdsl.dialects.builtin import f32

from lamina import interpreters
from lamina.dialects.loop import ForOp
from lamina.dialects.vector import element_of
from tests.unit.rewriting import parse, rewrite

TYPES = {"u": (np.uint8, " unsigned"), "s": (np.int8, "")}


def row(products: int, kinds: str) -> str:
    """y = z + the sum over k of x[k] * w[k], in one block, lane by lane."""
    body = ""
    for k in range(products):
        a, b = (TYPES[kind][1] for kind in kinds)
        body += f"""
          %x{k} = vec.load %x[{k}, 0] : memref<{products}x4xi8> -> vector<4xi8>
          %w{k} = vec.load %w[{k}, 0] : memref<{products}x4xi8> -> vector<4xi8>
          %a{k} = vec.convert{a} %x{k} : vector<4xi8> to vector<4xi32>
          %b{k} = vec.convert{b} %w{k} : vector<4xi8> to vector<4xi32>
          %p{k} = arith.muli %a{k}, %b{k} : vector<4xi32>
          %s{k + 1} = arith.addi %s{k}, %p{k} : vector<4xi32>"""
    bytes, sums = f"memref<{products}x4xi8>", "memref<4xi32>"
    return f"""
        func.func @f(%x: {bytes}, %w: {bytes}, %z: {sums}, %y: {sums}) {{
          %s0 = vec.load %z[0] : memref<4xi32> -> vector<4xi32>{body}
          vec.store %s{products}, %y[0] : vector<4xi32>, memref<4xi32>
          func.return
        }}"""


def nest(extents: Sequence[int], products: int, kinds: str) -> str:
    """y = z + the sum over a nest of the sum over k of x[.., k] * w[.., k], lane by lane."""
    names = [f"%i{n}" for n in range(len(extents))]
    body = ""
    for k in range(products):
        a, b = (TYPES[kind][1] for kind in kinds)
        at = f"{', '.join(names)}, {k}, 0] : memref<{shown(*extents, products)}x4xi8>"
        body += f"""
            %x{k} = vec.load %x[{at} -> vector<4xi8>
            %w{k} = vec.load %w[{at} -> vector<4xi8>
            %a{k} = vec.convert{a} %x{k} : vector<4xi8> to vector<4xi32>
            %b{k} = vec.convert{b} %w{k} : vector<4xi8> to vector<4xi32>
            %p{k} = arith.muli %a{k}, %b{k} : vector<4xi32>
            %s{k + 1} = arith.addi %s{k}, %p{k} : vector<4xi32>"""
    bytes, sums = f"memref<{shown(*extents, products)}x4xi8>", "memref<4xi32>"
    bounds = ", ".join(f"{i} < {n}" for i, n in zip(names, extents, strict=True))
    return f"""
        func.func @f(%x: {bytes}, %w: {bytes}, %z: {sums}, %y: {sums}) {{
          %t = vec.load %z[0] : memref<4xi32> -> vector<4xi32>
          %r = loop.for {bounds} iter(%s0 = %t) : vector<4xi32> {{{body}
            loop.yield %s{products} : vector<4xi32>
          }}
          vec.store %r, %y[0] : vector<4xi32>, memref<4xi32>
          func.return
        }}"""


def shown(*size: int) -> str:
    """The size as a type has it."""
    return "x".join(map(str, size))


def numbers(type: type[np.uint8 | np.int8], count: int) -> np.ndarray:
    """In three lanes an extreme value or 0, in the last one any."""
    info = np.iinfo(type)
    found = np.empty((count, 4), type)
    found[:] = info.max, info.max, info.min, 0
    found[:, 3] = np.random.default_rng(count).integers(info.min, info.max + 1, count)
    return found


@pytest.mark.parametrize("kinds", ["us", "su", "uu", "ss"])
@pytest.mark.parametrize("products", [4, 64, 65, 128, 129, 256, 257, 300, 520])
def test_extreme_values_are_exact(products: int, kinds: str) -> None:
    text = row(products, kinds)
    module = rewrite(text, "int8-products-in-floats")
    assert str(parse(text)).count("arith.muli") == products
    assert str(module).count("arith.muli") < 4  # what is left over
    (x_type, _), (w_type, _) = (TYPES[kind] for kind in kinds)
    x, w = (numbers(type, products) for type in (x_type, w_type))
    w[:, 1] = np.iinfo(w_type).min
    start = np.array([7, -(2**30), 2**30, -1], np.int32)
    (y,) = interpreters.call(module, "f", (x.view(np.int8), w.view(np.int8), start))
    np.testing.assert_array_equal(y, start + (x.astype(np.int64) * w).sum(0))


@pytest.mark.parametrize(
    ("kinds", "extents", "products", "inner"),
    [
        ("us", [4, 3, 3], 16, [2, 3, 3]),
        ("su", [64], 16, [32]),  # 512 products
        ("us", [514], 1, [514]),
        ("us", [1028], 1, [514]),
        ("us", [515], 1, [103]),
        ("us", [5, 7], 37, [7]),
        ("us", [37], 16, None),  # no part of 37 steps is exact
        ("us", [2], 300, None),  # longer than the limit of one block, and no two steps are exact
        ("uu", [6, 43], 1, [6, 43]),  # 258 products
        ("uu", [7, 43], 1, [43]),
        ("ss", [8, 128], 1, [8, 128]),  # 1024 products of -128 and -128 are 2^24
        ("ss", [10, 128], 1, [5, 128]),
    ],
)
def test_nests_carry_floats_for_as_long_as_is_exact(
    kinds: str, extents: list[int], products: int, inner: list[int] | None
) -> None:
    module = rewrite(nest(extents, products, kinds), "int8-products-in-floats")
    found = [
        list(op.extents.get_values())
        for op in module.walk()
        if isinstance(op, ForOp) and any(element_of(v.type) == f32 for v in op.inits)
    ]
    assert found == ([] if inner is None else [inner])
    types = [TYPES[kind][0] for kind in kinds]
    x, w = (numbers(type, products * prod(extents)) for type in types)
    w[:, 1] = np.iinfo(types[1]).min
    x[:, 2] = np.iinfo(types[0]).min
    w[:, 2] = np.iinfo(types[1]).min
    start = np.array([7, -(2**30), 2**30, -1], np.int32)
    size = (*extents, products, 4)
    args = (x.view(np.int8).reshape(size), w.view(np.int8).reshape(size), start)
    (y,) = interpreters.call(module, "f", args)
    np.testing.assert_array_equal(y, start + (x.astype(np.int64) * w).sum(0))
