"""
Which tensors of a network are kept in 8 bits, and which layers stay float.

The rules see a network as a list of steps, whatever it is written in, so that they are the same for
an ONNX file and for the graph dialect:

1. A layer (`conv`, `dense`, `matmul`) reads 8-bit tensors, unless it is to stay float: the first
   convolutions and the last layers do, and those that the user names.
2. What lies between layers (`BETWEEN`) reads and gives 8-bit tensors, if such a layer follows.
3. What only moves or chooses elements (`SAME`) gives numbers of the scale that it reads.
4. A clamp that alone reads what it clamps is a part of the step before: nothing is rounded there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase

LAYERS = ("conv", "dense", "matmul")
SAME = ("concat", "max", "move")
BETWEEN = ("add", "mul", "average", *SAME)
KINDS = (*LAYERS, *BETWEEN)
CLAMP = "clamp"


@dataclass(frozen=True)
class Step:
    """An operation of a network."""

    name: str
    """what the user calls it"""
    kind: str
    """one of KINDS, CLAMP, or anything else for what is computed in float"""
    reads: tuple[str, ...]
    """the float tensors that it reads, without constants"""
    writes: tuple[str, ...]
    refused: str = ""
    """why this layer cannot be computed in 8 bits, if so"""

    @property
    def result(self) -> str:
        """The tensor that it is known by."""
        return self.writes[0]


@dataclass(frozen=True)
class Rules:
    """What the user decides."""

    kinds: tuple[str, ...] = KINDS
    """what may be computed in 8 bits"""
    keep_float: tuple[str, ...] = ()
    """patterns, such as `features.0.*`, of the names of steps that stay float"""
    whole: bool = False
    """whether the first convolutions and the last layers are quantized, too"""


@dataclass(frozen=True)
class Plan:
    """What is to be quantized."""

    layers: Mapping[str, Step]
    """by the tensor that they write"""
    tensors: Mapping[str, str]
    """each tensor of 8 bits -> the one whose scale it has"""
    observed: Mapping[str, tuple[str, ...]]
    """each of the latter -> the tensors whose range decides its scale"""
    kept: Mapping[str, str]
    """the names of layers that stay float -> why"""


def plan(steps: Sequence[Step], outputs: AbstractSet[str], rules: Rules) -> Plan:
    """What the rules say of a network; `steps` stand in an order in which they can be computed."""
    kept = _kept(steps, rules)
    layers = {s.result: s for s in steps if s.kind in LAYERS and s.result not in kept}
    wanted = _leading_to(steps, layers)
    between = [s for s in steps if s.result in wanted and _may_lie_between(s, rules)]
    readers = _readers(steps)
    tensors = [name for s in (*layers.values(), *between) for name in s.reads]
    tensors += [_end(s, readers, outputs) for s in between]
    moved = {s.result: s for s in between if s.kind in SAME}
    groups = _groups(dict.fromkeys(tensors), moved.values())
    observed = [tuple(name for name in group if name not in moved) for group in groups]
    return Plan(
        layers,
        {name: o[0] for group, o in zip(groups, observed, strict=True) for name in group},
        {o[0]: o for o in observed},
        {s.name: kept[s.result] for s in steps if s.kind in LAYERS and s.result in kept},
    )


def unmatched(steps: Sequence[Step], rules: Rules) -> list[str]:
    """The patterns of names that no step has, which are misspelt most likely."""
    names = {s.name for s in steps}
    return [p for p in rules.keep_float if not any(fnmatchcase(name, p) for name in names)]


def _kept(steps: Sequence[Step], rules: Rules) -> dict[str, str]:
    """Why the layers that stay float do so, by what they write."""
    layers = {s.result: s for s in steps if s.kind in LAYERS}
    before, behind = _following(steps, layers), _leading_to(steps, layers)
    found = dict[str, str]()
    for result, step in layers.items():
        if step.refused:
            found[result] = step.refused
        elif step.kind not in rules.kinds:
            found[result] = f"{step.kind} is not among the kinds"
        elif _is_named(step, rules):
            found[result] = "by name"
        elif not rules.whole and step.kind == "conv" and not before & set(step.reads):
            found[result] = "first convolution"
        elif not rules.whole and result not in behind:
            found[result] = "last layer"
    return found


def _is_named(step: Step, rules: Rules) -> bool:
    return any(fnmatchcase(step.name, pattern) for pattern in rules.keep_float)


def _may_lie_between(step: Step, rules: Rules) -> bool:
    return step.kind in BETWEEN and step.kind in rules.kinds and not _is_named(step, rules)


def _leading_to(steps: Sequence[Step], layers: Mapping[str, Step]) -> set[str]:
    """The tensors that one of these layers reads, directly or not."""
    found = set[str]()
    for s in reversed(steps):
        if s.result in layers or found.intersection(s.writes):
            found.update(s.reads)
    return found


def _following(steps: Sequence[Step], layers: Mapping[str, Step]) -> set[str]:
    """The tensors that one of these layers writes, directly or not."""
    found = set[str]()
    for s in steps:
        if s.result in layers or found.intersection(s.reads):
            found.update(s.writes)
    return found


def _readers(steps: Iterable[Step]) -> Mapping[str, list[Step]]:
    found = defaultdict[str, list[Step]](list)
    for s in steps:
        for name in dict.fromkeys(s.reads):
            found[name].append(s)
    return found


def _end(step: Step, readers: Mapping[str, list[Step]], outputs: AbstractSet[str]) -> str:
    """What a step writes, or the clamp that is a part of it."""
    name = step.result
    while step.kind not in SAME and name not in outputs:
        match readers.get(name, []):
            case [Step(kind="clamp") as clamp]:
                name = clamp.result
            case _:
                break
    return name


def _groups(tensors: Iterable[str], moved: Iterable[Step]) -> list[list[str]]:
    """The tensors, those together that have one scale because steps move elements between them."""
    groups = {name: [name] for name in tensors}
    for s in moved:
        for name in (*s.reads, s.result):
            mine, other = groups[s.result], groups[name]
            if mine is not other:
                mine += other
                groups.update(dict.fromkeys(other, mine))
    return list({id(group): group for group in groups.values()}.values())
