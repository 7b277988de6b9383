"""Sums of products of bytes as floats: the same integers, however large and many they are."""

import numpy as np
import pytest

from lamina import interpreters
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
