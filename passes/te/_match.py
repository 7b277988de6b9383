"""Finding the axes of one tensor expression in another that touches the same elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lamina.dialects.expr import Div, Expr, constant, var
from lamina.dialects.te import ComputeOp, count_points
from lamina.passes.te._limits import limits

Env = dict[str, Expr]


def match(read: Expr, write: Expr, env: Env) -> bool:
    """
    Extend `env`, from names of `read` to expressions, so that `read` becomes `write`.

    Finds `j = i - 1` for `j + 1` and `i`, and looks into floordiv and mod term by term.
    """
    if len(read.terms) == 1 and read.terms[0][1] == 1 and isinstance(read.terms[0][0], str):
        value = write - read.const
        return env.setdefault(read.terms[0][0], value) == value
    if read.const != write.const or len(read.terms) != len(write.terms):
        return False
    for (a, c), (b, d) in zip(read.terms, write.terms, strict=True):
        if c != d or isinstance(a, Div) != isinstance(b, Div):
            return False
        if isinstance(a, Div) and isinstance(b, Div):
            if (a.kind, a.by) != (b.kind, b.by) or not match(a.of, b.of, env):
                return False
        elif env.setdefault(str(a), var(str(b))) != var(str(b)):
            return False
    return True


def bind_outer(writer: ComputeOp, reader: ComputeOp) -> tuple[Env, dict[str, int]]:
    """
    Names of `writer` for the loop indices that `reader` has bound.

    Returns the renaming, and which of the reader's indices the writer has not bound yet.
    """
    known = {v: n.data for n, v in zip(writer.outer.data, writer.indices, strict=True)}
    names, new = writer.ranges.keys() | set(known.values()), dict[str, int]()
    env: Env = {}
    for k, (n, v) in enumerate(zip(reader.outer.data, reader.indices, strict=True)):
        if v in known:
            env[n.data] = var(known[v])
            continue
        fresh = next(x for x in _candidates(n.data) if x not in names)
        names, new[fresh] = names | {fresh}, k
        env[n.data] = var(fresh)
    return env, new


def _candidates(name: str) -> Iterator[str]:
    yield name
    k = 0
    while True:
        k += 1
        yield f"{name}{k}"


def axes_of_reader(
    writer: ComputeOp, reader: ComputeOp, reads: Sequence[int], outer: Env
) -> Env | None:
    """
    The axes of `reader` as expressions over the spatial axes of `writer`, such that the accesses
    `reads` name the element that the writer writes there; None if they cover other points.
    """
    if any(not e.names() <= writer.extents.keys() for e, _ in writer.bounds.data):
        return None  # which points are written depends on a loop outside
    # as they are, `c floordiv 16` is still `(g * 8 + i) floordiv 16`, not `g floordiv 2`
    for simple in (True, False):
        env = _axes_of_reader(writer, reader, reads, outer, simple)
        if env is not None and _covers(writer, reader, env):
            return env
    return None


def _axes_of_reader(
    writer: ComputeOp, reader: ComputeOp, reads: Sequence[int], outer: Env, simple: bool
) -> Env | None:
    """What `axes_of_reader` finds in indices that are simplified or not, yet to be checked."""
    inner, ranges, env = writer.extents, reader.extents, dict(outer)
    written = writer.accesses.data[-1].index
    for k in reads:
        for e, w in zip(reader.accesses.data[k].index, written, strict=True):
            read, write = (e.simplify(ranges), w.simplify(inner)) if simple else (e, w)
            if not match(read, write, env):
                return None
    for a in reader.axes.data:
        if a.extent == 1:
            env.setdefault(a.name, constant(0))
    return env if ranges.keys() <= env.keys() else None


def _covers(writer: ComputeOp, reader: ComputeOp, env: Env) -> bool:
    """
    Whether `env` maps the writer's spatial points onto the reader's points, one to one.

    Different points of the writer write different elements, which different points of the reader
    read. So it is enough that the points stay inside and are equally many.
    """
    spatial = {a.name: a.extent for a in writer.axes.data if not a.reduce}
    bounds = [(e, n) for e, n in writer.bounds.data if not e.names() - spatial.keys()]
    for a in reader.axes.data:
        found = limits(env[a.name], spatial, bounds)
        if found is None or found[0] < 0 or found[1] >= a.extent:
            return False
    for e, n in reader.bounds.data:
        found = limits(e.substitute(env), spatial, bounds)
        if found is None or found[1] >= n:
            return False
    return count_points(spatial, bounds) == reader.points()
