"""What moves elements or takes some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.unit.random_graphs.grower import Grower, Operand, Operator, Rejected, Value


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def concat(g: Grower, x: Value) -> Value:
    axis = g.between(1 if x.rank > 1 else 0, x.rank - 1)

    def fits(y: Value) -> bool:
        same = y.shape[:axis] + y.shape[axis + 1 :] == x.shape[:axis] + x.shape[axis + 1 :]
        return y.array.dtype == x.array.dtype and y.rank == x.rank and same

    parts: list[Operand] = [x, g.another(x, fits)]
    if g.maybe():
        parts.append(g.another(x, fits))
    if g.maybe():
        size = [*x.shape[:axis], g.choose((1, 5, 16)), *x.shape[axis + 1 :]]
        parts.insert(g.between(0, len(parts)), g.like(x.array.dtype, size))
    return g.add("Concat", *parts, axis=g.choose((axis, axis - x.rank)) if g.opset >= 11 else axis)


def split(g: Grower, x: Value) -> list[Value]:
    axis = g.between(0, x.rank - 1)
    n = x.shape[axis]
    if n < 2:
        raise Rejected("one element")
    if n % 2 == 0 and g.maybe():
        sizes = None
        count = 2
    else:
        first = g.between(1, n - 1)
        sizes, count = [first, n - first], 2
        if n - first > 2 and g.maybe():
            sizes, count = [first, 1, n - first - 1], 3
    if g.opset < 13:
        return g.several("Split", count, x, axis=axis, split=sizes)
    if sizes is not None:
        return g.several("Split", count, x, ints(*sizes), axis=axis)
    return g.several("Split", count, x, axis=axis, num_outputs=2 if g.opset >= 18 else None)


def slice_(g: Grower, x: Value) -> Value:
    axes = g.some(range(x.rank))
    starts, ends, steps = [], [], []
    for axis in axes:
        n = x.shape[axis]
        start = g.between(0, n - 1)
        step = g.choose((1, 1, 2, 3, -1, -2)) if g.opset >= 10 else 1
        if step > 0:
            end = g.choose((n, 2**31 - 1, g.between(start + 1, n)))
        else:
            end = g.choose((-n - 1, -(2**31), g.between(0, start) - n - 1))
        starts.append(g.choose((start, start - n)))
        ends.append(end)
        steps.append(step)
    if g.opset < 10:
        return g.add("Slice", x, starts=starts, ends=ends, axes=axes)
    given: list[Operand] = [ints(*starts), ints(*ends), ints(*axes), ints(*steps)]
    return g.add("Slice", x, *given[: 4 if set(steps) != {1} else 3])


def pad(g: Grower, x: Value) -> Value:
    modes = ("constant", "reflect", "edge", *(("wrap",) if g.opset >= 19 else ()))
    mode = g.choose(modes)
    low = [-1 if mode == "constant" and n > 2 else 0 for n in x.shape]
    most = [3 if mode in ("constant", "edge") else min(3, n - 1) for n in x.shape]
    dims = g.some(range(x.rank))
    pads = [g.between(low[d], most[d]) if d in dims else 0 for d in [*range(x.rank)] * 2]
    value = g.choose((None, 0.0, 1.5)) if mode == "constant" else None
    if g.opset < 11:
        return g.add("Pad", x, mode=mode, pads=pads, value=value)
    fill: list[Operand] = [] if value is None else [np.array(value, np.float32)]
    return g.add("Pad", x, ints(*pads), *fill, mode=mode)


def factors(g: Grower, n: int) -> list[int]:
    """One or two numbers whose product is n."""
    found = [d for d in (1, 2, 3, 4, 8) if n % d == 0]
    d = g.choose(found)
    return [n] if d == 1 else [d, n // d] if g.maybe() else [n // d, d]


def reshape(g: Grower, x: Value) -> Value:
    """Dimensions are merged and taken apart."""
    size: list[int] = []
    for n in x.shape:
        if size and g.maybe():
            size[-1] *= n
        else:
            size += factors(g, n) if len(size) < 5 else [n]
    if len(size) > 6:
        raise Rejected("many dimensions")
    if size and g.maybe():
        size[g.between(0, len(size) - 1)] = -1
    if size and size[0] == x.shape[0] and g.maybe():
        size[0] = 0
    return g.add("Reshape", x, ints(*size))


def flatten(g: Grower, x: Value) -> Value:
    return g.add("Flatten", x, axis=g.choose((None, *range(x.rank + 1))))


def unsqueeze(g: Grower, x: Value) -> Value:
    axes = g.some(range(x.rank + 1))[:2]
    if g.opset < 13:
        return g.add("Unsqueeze", x, axes=sorted(axes))
    return g.add("Unsqueeze", x, ints(*axes))


def squeeze(g: Grower, x: Value) -> Value:
    ones = [d for d, n in enumerate(x.shape) if n == 1]
    if not ones:
        raise Rejected("no dimension of 1")
    if g.opset < 13:
        return g.add("Squeeze", x, axes=sorted(g.some(ones)))
    return g.add("Squeeze", x, ints(*g.some(ones)))


def transpose(g: Grower, x: Value) -> Value:
    orders = [[0, *range(2, x.rank), 1], [0, x.rank - 1, *range(1, x.rank - 1)], None]
    if g.maybe():
        return g.add("Transpose", x, perm=g.draw_permutation(x.rank))
    return g.add("Transpose", x, perm=g.choose(orders))


def expand(g: Grower, x: Value) -> Value:
    size = [g.choose((1, 2, 5)) if n == 1 else g.choose((1, n)) for n in x.shape]
    front = [2] if g.maybe() else []
    return g.add("Expand", x, ints(*front, *size))


def tile(g: Grower, x: Value) -> Value:
    return g.add("Tile", x, ints(*(g.choose((1, 1, 2, 3)) for _ in x.shape)))


def gather(g: Grower, x: Value) -> Value:
    axis = g.between(0, x.rank - 1)
    n = x.shape[axis]
    low = -n if g.opset >= 11 else 0
    indices = [g.between(low, n - 1) for _ in range(g.between(1, 6))]
    match g.choose(("list", "one", "matrix", "scattered")):
        case "list":
            return g.add("Gather", x, ints(*indices), axis=axis)
        case "one":
            return g.add("Gather", x, np.array(indices[0], np.int64), axis=axis)
        case "scattered":
            return g.add("Gather", x, _places(g, low, n, [g.between(20, 50)]), axis=axis)
        case _:
            return g.add("Gather", x, ints(*indices, *indices).reshape(2, -1), axis=axis)


def gather_elements(g: Grower, x: Value) -> Value:
    axis = g.between(0, x.rank - 1)
    n = x.shape[axis]
    size = [g.choose((m, -(-m // 2))) for m in x.shape]
    size[axis] = g.choose((n, n + 3))
    return g.add("GatherElements", x, _places(g, -n, n, size), axis=axis)


def _places(g: Grower, low: int, end: int, size: Sequence[int]) -> np.ndarray:
    """Integers without any order."""
    return np.random.default_rng(g.between(0, 99)).integers(low, end, size)


def taken(g: Grower, x: Value) -> Value:
    """At indices that are an input."""
    axis = g.between(0, x.rank - 1)
    n = x.shape[axis]
    low = -n if g.opset >= 11 else 0
    size: tuple[int, ...] = (g.choose((4, 1, 17)),) if g.maybe() else (2, 3)
    if g.opset >= 11 and g.maybe():
        size = tuple(g.between(1, m) for m in x.shape)
        indices = g.given(g.rng.integers(low, n, size))
        return g.add("GatherElements", x, indices, axis=axis)
    type = g.choose((np.int64, np.int32))
    return g.add("Gather", x, g.given(g.rng.integers(low, n, size).astype(type)), axis=axis)


def gather_nd(g: Grower, x: Value) -> Value:
    """At places of several dimensions."""
    batch = g.between(0, min(1, x.rank - 1)) if g.opset >= 12 else 0
    dims = g.between(1, x.rank - batch)
    size = (*x.shape[:batch], g.choose((3, 1, 7)))
    ends = x.shape[batch : batch + dims]
    columns = [g.rng.integers(-n if g.opset >= 11 else 0, n, size) for n in ends]
    indices = np.stack(columns, -1)
    return g.add("GatherND", x, indices, batch_dims=batch if batch else None)


def permuted(g: Grower, x: Value) -> Value:
    """The same shape again: reversed, in turns, or with two dimensions of one size exchanged."""
    axis = g.between(0, x.rank - 1)
    n = x.shape[axis]
    same = [d for d in range(x.rank) if d != axis and x.shape[d] == n]
    if same and g.maybe():
        perm = [*range(x.rank)]
        other = g.choose(same)
        perm[axis], perm[other] = other, axis
        return g.add("Transpose", x, perm=perm)
    if g.opset >= 10 and g.maybe():
        return g.add("Slice", x, ints(-1), ints(-n - 1), ints(axis), ints(-1))
    turned = g.between(0, n - 1)
    order = g.choose(([*range(turned, n), *range(turned)], [*range(0, n, 2), *range(1, n, 2)]))
    return g.add("Gather", x, ints(*order), axis=axis)


def shuffle(g: Grower, x: Value) -> Value:
    """Channels of groups, in turn."""
    n, c, *rest = x.shape
    groups = g.choose([d for d in (2, 4, 8, 1) if c % d == 0])
    if groups == 1:
        raise Rejected("one group")
    y = g.add("Reshape", x, ints(n, groups, c // groups, *rest))
    y = g.add("Transpose", y, perm=[0, 2, 1, *range(3, y.rank)])
    return g.add("Reshape", y, ints(n, c, *rest))


def pixels(g: Grower, x: Value) -> Value:
    """Depth to space or space to depth, in two reshapes and a permutation."""
    n, c, h, w = x.shape
    if g.maybe():
        b = g.choose([b for b in (2, 3, 1) if c % (b * b) == 0])
        sizes = g.choose(
            [((b, b, c // b**2), [0, 3, 4, 1, 5, 2]), ((c // b**2, b, b), [0, 1, 4, 2, 5, 3])]
        )
        y = g.add("Transpose", g.add("Reshape", x, ints(n, *sizes[0], h, w)), perm=sizes[1])
        return g.add("Reshape", y, ints(n, c, h * b, w * b))
    b = g.choose([b for b in (2, 3, 1) if h % b == w % b == 0])
    y = g.add("Reshape", x, ints(n, c, h // b, b, w // b, b))
    y = g.add("Transpose", y, perm=g.choose(([0, 3, 5, 1, 2, 4], [0, 1, 3, 5, 2, 4])))
    return g.add("Reshape", y, ints(n, c * b**2, h // b, w // b))


def constant(g: Grower, x: Value) -> Value:
    """x plus what is computed from weights alone."""
    w = g.add(g.choose(("Abs", "Exp", "Neg", "Sigmoid")), g.numbers(*x.shape))
    if x.rank > 1 and g.maybe():
        w = g.add("Transpose", g.add("Transpose", w))
    w = g.add("Mul", w, g.numbers(1)) if g.maybe() else w
    return g.add("Add", *((x, w) if g.maybe() else (w, x)))


def copy(g: Grower, x: Value) -> Value:
    return g.add("Dropout" if x.is_float and g.maybe() else "Identity", x)


def depth_to_space(g: Grower, x: Value) -> Value:
    b = g.choose([b for b in (2, 3, 1) if x.shape[1] % (b * b) == 0])
    mode = g.choose((None, "CRD")) if g.opset >= 11 else None
    return g.add("DepthToSpace", x, blocksize=b, mode=mode)


def space_to_depth(g: Grower, x: Value) -> Value:
    b = g.choose([b for b in (2, 3, 1) if x.shape[2] % b == x.shape[3] % b == 0])
    return g.add("SpaceToDepth", x, blocksize=b)


def has_dims(x: Value) -> bool:
    return x.rank >= 1


def _maps(x: Value) -> bool:
    return x.rank >= 3


def _picture(x: Value) -> bool:
    return x.rank == 4


def _image(x: Value) -> bool:
    return x.is_float and x.rank == 4


def is_stack(x: Value) -> bool:
    return x.rank >= 2


def _small(x: Value) -> bool:
    return x.rank <= 5


def is_floats(x: Value) -> bool:
    return x.is_float and x.rank >= 1


OPERATORS = [
    *[Operator(concat, has_dims)] * 3,
    *[Operator(split, has_dims)] * 2,
    *[Operator(slice_, has_dims)] * 2,
    *[Operator(pad, is_floats)] * 2,
    *[Operator(reshape, has_dims)] * 2,
    Operator(flatten, has_dims),
    Operator(unsqueeze, _small),
    Operator(squeeze, has_dims),
    *[Operator(transpose, is_stack)] * 2,
    Operator(expand, has_dims),
    Operator(tile, has_dims),
    Operator(gather, has_dims),
    Operator(gather_elements, has_dims, since=11),
    Operator(taken, has_dims),
    Operator(gather_nd, has_dims, since=11),
    *[Operator(permuted, has_dims)] * 2,
    *[Operator(shuffle, _maps)] * 2,
    Operator(pixels, _picture),
    Operator(constant, is_floats),
    Operator(copy, has_dims),
    Operator(depth_to_space, _image),
    Operator(space_to_depth, _image),
]
