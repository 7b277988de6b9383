"""Multiply bytes that lie in a row four at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, VectorType, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.backends.dot4 import SLOTS, best, lanes
from lamina.backends.machine import Machine
from lamina.dialects.int8 import Dot4Op
from lamina.dialects.loop import ForOp, IfOp
from lamina.dialects.vector import BitcastOp, ConvertOp, LoadOp, ShuffleOp, shape_of
from lamina.passes._aliasing import may_be_in, writes
from lamina.passes._machine import machine_of
from lamina.passes.int8._dot4_forms import WIDTHS
from lamina.passes.int8._row_windows import FOUR, Place, pieces, windows
from lamina.passes.vector._memory import distance, ranges_of

Writes = Callable[[Operation], tuple[SSAValue, ...] | None]
"""as `writes`"""


@dataclass(frozen=True)
class Term:
    """`product = zext(a) * sext(b)`, a term of a sum."""

    a: LoadOp
    b: LoadOp
    product: SSAValue


@dataclass
class Sum:
    """`start` and products of bytes, added up one after the other."""

    start: SSAValue
    adds: list[arith.AddiOp] = field(default_factory=list[arith.AddiOp])
    terms: list[Term] = field(default_factory=list[Term])


def term_of(value: SSAValue, block: Block) -> Term | None:
    """What `value` is the product of, if of an unsigned byte and a signed one, and added once."""
    mul = value.owner
    if not isinstance(mul, arith.MuliOp) or len(list(value.uses)) != 1:
        return None
    sides: dict[bool, LoadOp] = {}
    for v in mul.operands:
        wide = v.owner
        if not isinstance(wide, ConvertOp) or not isinstance(load := wide.x.owner, LoadOp):
            return None
        if load.parent is not block or load.res.type != VectorType(i8, shape_of(value.type)):
            return None
        sides[wide.unsigned is not None] = load
    return Term(sides[True], sides[False], value) if len(sides) == 2 else None


def sums_of(block: Block) -> list[Sum]:
    """The sums of products of bytes in `block`, in the order in which they are complete."""
    growing: dict[SSAValue, Sum] = {}
    for op in block.ops:
        if not isinstance(op, arith.AddiOp) or len(shape_of(op.result.type)) != 1:
            continue
        for acc, value in (op.operands, reversed(op.operands)):
            if (term := term_of(value, block)) is not None:
                again = acc in growing and len(list(acc.uses)) == 1
                found = growing.pop(acc) if again else Sum(acc)
                found.adds.append(op)
                found.terms.append(term)
                growing[op.result] = found
                break
    return list(growing.values())


def places_of(sums: Sequence[Sum], lanes: int) -> dict[LoadOp, Place]:
    """Where in which row each vector of unsigned bytes lies."""
    firsts: list[LoadOp] = []
    found: dict[LoadOp, Place] = {}
    for load in dict.fromkeys(term.a for s in sums for term in s.terms):
        away = (distance(first, load) for first in firsts)
        row, by = next(((k, d) for k, d in enumerate(away) if d is not None), (len(firsts), 0))
        if row == len(firsts):
            firsts.append(load)
        found[load] = Place((row, by % lanes), by // lanes)
    return found


class Order:
    """What of a block is before what, and what is written between."""

    def __init__(self, block: Block) -> None:
        self.at = {op: k for k, op in enumerate(block.ops)}
        self.written = [(k, refs) for op, k in self.at.items() if (refs := writes(op)) != ()]

    def loaded_at(self, load: LoadOp, at: Operation) -> bool:
        """Whether `load` could as well be at `at`, an op behind it."""
        first, last = self.at[load], self.at[at]
        between = [refs for k, refs in self.written if first < k < last]
        return first < last and not any(may_be_in(refs, load.ref) for refs in between)


class Groups:
    """Vectors of groups of four bytes in one function, each made once."""

    def __init__(self) -> None:
        self.made: dict[object, SSAValue] = {}
        self.writes = cache(writes)  # a loop is asked about by each of thousands of loads

    def window(self, first: LoadOp, at: Operation) -> SSAValue:
        """Lane k: bytes k of `first` and of the three vectors behind it in memory."""
        if first not in self.made:
            b = Builder(InsertPoint.before(at))
            type = VectorType(i8, [FOUR * _lanes(first)])
            row = b.insert(LoadOp(first.ref, first.index, first.indices, type)).res
            row.name_hint = first.res.name_hint
            self.made[first] = grouped(b, row, row)
        return self.made[first]

    def factors(self, loads: Sequence[LoadOp | None], at: Operation) -> SSAValue:
        """
        Lane k: bytes k of four vectors, zero for none; before the loops that they are for.

        With zeros first, they are those that begin with the first vector, moved by whole bytes.
        """
        there = [load for load in loads if load is not None]
        before, ahead = outside_of_loops(there, at, self.writes), loads.index(there[0])
        place = at.parent if before is at else before  # sums of a block come one after the other
        key = place, ahead, *((load.ref, load.index, *load.indices) for load in there)
        if key not in self.made:
            if ahead:
                first = self.factors([*loads[ahead:], *loads[:ahead]], at)
                self.made[key] = moved(Builder(InsertPoint.before(before)), first, ahead)
            else:
                b = Builder(InsertPoint.before(before))
                self.made[key] = self._mixed(b, loads, there[0])
        return self.made[key]

    def _mixed(self, b: Builder, loads: Sequence[LoadOp | None], first: LoadOp) -> SSAValue:
        lanes = _lanes(first)
        zero = DenseIntOrFPElementsAttr.from_list(VectorType(i8, [lanes]), [0])
        row = [
            b.insert(arith.ConstantOp(zero)).result
            if load is None
            else b.insert(LoadOp(load.ref, load.index, load.indices, load.res.type)).res
            for load in loads
        ]
        x, y = (b.insert(ShuffleOp(row[k], row[k + 1], range(2 * lanes))).res for k in (0, 2))
        return grouped(b, x, y)


def _lanes(load: LoadOp) -> int:
    return shape_of(load.res.type)[0]


def grouped(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Groups of bytes that are a quarter of `x` and `y` apart, which may be one and the same."""
    lanes = (shape_of(x.type)[0] if x is y else 2 * shape_of(x.type)[0]) // FOUR
    mixed = b.insert(ShuffleOp(x, y, [j * lanes + k for k in range(lanes) for j in range(FOUR)]))
    return b.insert(BitcastOp(mixed.res, VectorType(i8, [lanes, FOUR]))).res


def moved(b: Builder, groups: SSAValue, steps: int) -> SSAValue:
    """Groups whose bytes are `steps` further back, behind zeros."""
    whole = VectorType(i32, shape_of(groups.type)[:1])
    count = b.insert(arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(whole, [8 * steps])))
    bits = b.insert(arith.ShLIOp(b.insert(BitcastOp(groups, whole)).res, count))
    return b.insert(BitcastOp(bits.result, groups.type)).res


def outside_of_loops(loads: Sequence[LoadOp], at: Operation, writes: Writes) -> Operation:
    """
    The outermost loop around `at` before which the loads read the same; the loop around everything
    is none, as its steps may be shared out among threads.
    """
    found, op = at, at
    while isinstance(around := op.parent_op(), ForOp | IfOp):
        if isinstance(around, IfOp) and not all(map(is_inside, loads)):
            break  # there may be nothing to read where the condition does not hold
        varying = any(_defined_in(around, v) for load in loads for v in load.indices)
        if varying or any(may_be_in(writes(around), load.ref) for load in loads):
            break
        op = around
        if isinstance(op, ForOp) and isinstance(op.parent_op(), ForOp | IfOp):
            found = op
    return found


def is_inside(load: LoadOp) -> bool:
    """Whether all that `load` reads is inside the buffer, whatever its indices are."""
    ends = [*[1] * (len(load.index.data) - 1), _lanes(load)]
    ranges = ranges_of(load)
    for e, n, size in zip(load.index.data, load.memref.get_shape(), ends, strict=True):
        limits = e.bounds(ranges)
        if limits is None or limits[0] < 0 or limits[1] + size > n:
            return False
    return True


def _defined_in(around: Operation, v: SSAValue) -> bool:
    owner = v.owner.parent_op() if isinstance(v.owner, Block) else v.owner
    return owner is not None and around.is_ancestor(owner)


@dataclass(frozen=True)
class Plan:
    """Which products of the sums of a block are made four at a time."""

    sums: Sequence[Sum]
    places: Mapping[LoadOp, Place]
    starts: Mapping[tuple[Place, int], Place]
    """of windows, by the first place and the length of what a sum has in it"""

    def grouped(self, s: Sum) -> list[tuple[Place, dict[Place, Term]]]:
        """The windows of a sum, and the terms in each."""
        terms = {self.places[term.a]: term for term in reversed(s.terms)}
        return [
            (self.starts[key], {p: terms[p] for p in piece})
            for piece in pieces(terms)
            if (key := (piece[0], len(piece))) in self.starts
        ]

    def gain(self, machine: Machine) -> int:
        """How many instructions fewer it takes, about, than to widen and to multiply each."""
        form = best(machine)
        mixed = 1 if SLOTS[form] == 1 else FOUR
        product = 1 if SLOTS[form] == 1 else 2
        used = [each for s in self.sums for each in self.grouped(s)]
        terms = [term for _, terms in used for term in terms.values()]
        before = product * len(terms) + len({term.a for term in terms})
        return before - SLOTS[form] * len(used) - mixed * len({start for start, _ in used})


def planned(sums: Sequence[Sum], lanes: int) -> Plan:
    """All products in as few windows as there are enough vectors in memory for."""
    places = places_of(sums, lanes)
    found = [piece for s in sums for piece in pieces(places[term.a] for term in s.terms)]
    return Plan(sums, places, windows(found, set(places.values())))


def use_groups(plan: Plan, s: Sum, groups: Groups) -> None:
    """Add up what the plan says in groups of four, and the rest as before."""
    at, acc, rest = s.adds[-1], s.start, dict.fromkeys(s.terms)
    vectors = {place: load for load, place in reversed(list(plan.places.items()))}
    for start, terms in plan.grouped(s):
        row = [terms.get(start.moved(k)) for k in range(FOUR)]
        factors = groups.factors([term.b if term else None for term in row], at)
        dot = Dot4Op(acc, groups.window(vectors[start], at), factors)
        acc = Builder(InsertPoint.before(at)).insert(dot).res
        for term in terms.values():
            del rest[term]
    for term in rest:
        acc = Builder(InsertPoint.before(at)).insert(arith.AddiOp(acc, term.product)).result
    acc.name_hint = at.result.name_hint
    Rewriter.replace_op(at, [], [acc])
    for op in reversed(s.adds[:-1]):
        Rewriter.erase_op(op)


def group_products(block: Block, machine: Machine, groups: Groups) -> None:
    """Use groups of four for the sums of `block` that have as many lanes as a register."""
    if not (found := sums_of(block)):
        return
    order, most = Order(block), lanes(machine, best(machine))
    by_lanes: dict[int, list[Sum]] = {}
    for s in found:
        if all(order.loaded_at(load, s.adds[-1]) for term in s.terms for load in (term.a, term.b)):
            by_lanes.setdefault(shape_of(s.start.type)[0], []).append(s)
    for count, sums in by_lanes.items():
        plan = planned(sums, count)
        if count not in WIDTHS or count > most or plan.gain(machine) <= 0:
            continue
        for s in filter(plan.grouped, sums):
            use_groups(plan, s, groups)
        erase_unused([op for s in sums for term in s.terms for op in _made_for(term)])


def _made_for(term: Term) -> list[Operation]:
    mul = term.product.owner
    assert isinstance(mul, arith.MuliOp)
    converts = [v.owner for v in mul.operands if isinstance(v.owner, Operation)]
    return [mul, *converts, term.a, term.b]


def erase_unused(ops: Sequence[Operation]) -> None:
    """Erase those of the ops whose results nothing uses, users before what they use."""
    for kind in (arith.MuliOp, ConvertOp, LoadOp):
        for op in dict.fromkeys(o for o in ops if isinstance(o, kind)):
            if not any(r.uses for r in op.results):
                Rewriter.erase_op(op)


@dataclass(frozen=True)
class Int8GroupProductsPass(ModulePass):
    """
    Multiply bytes that lie in a row four at a time, where that takes fewer instructions.

    Sums of products of vectors of bytes, each extended to 32 bits, read vectors that lie one behind
    the other in memory. Four of them are loaded at once and mixed, so that a lane has a group of
    four bytes; a sum multiplies it by its factors, mixed alike, with zeros where it reads fewer.
    Sums beside each other use the same group. Nothing is read that was not read before, and sums
    are the same in every bit. Factors are mixed before the loops that use all of them.

    %s = %acc + zext(%x[0:16]) * sext(%u) + zext(%x[16:32]) * sext(%v) + zext(%x[32:48]) * sext(%w)
    ->
    %g = groups of %x[0:64]; %s = int8.dot4 %acc, %g, groups of %u, %v, %w, 0
    """

    name = "int8-group-products"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine whose instructions count"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(self.target, by=self.name)
        if machine.kind != "cpu":
            return
        for f in [o for o in op.walk() if isinstance(o, FuncOp)]:
            groups = Groups()
            for block in [b for o in f.walk() for r in o.regions for b in r.blocks]:
                group_products(block, machine, groups)
