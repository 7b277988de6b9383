"""Rules of a user that say which ops run where: `graph.softmax:cpu`, `layer1*:opencl`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from lamina.dialects.graph import SOURCE

EXAMPLES = 5
"""names that an error quotes"""


class BadRule(ValueError):
    """A rule that says nothing; the message is one line."""


@dataclass(frozen=True)
class Rule:
    """Ops whose kind or name in the user's model matches `pattern` run on `device`."""

    text: str
    pattern: str
    device: str

    def matches(self, op: Operation) -> bool:
        """Whether the rule is about `op`."""
        source = op.attributes.get(SOURCE)
        names = [op.name, source.data] if isinstance(source, StringAttr) else [op.name]
        return any(fnmatchcase(name, self.pattern) for name in names)


def parse_rule(text: str, devices: Sequence[str]) -> Rule:
    """`PATTERN:DEVICE`, where a device is one of the list, or the first part of it."""
    parts = text.split(":")
    for count in range(1, len(parts)):
        pattern, device = ":".join(parts[:count]), ":".join(parts[count:])
        found = [d for d in devices if device in (d, d.partition(":")[0])]
        if pattern and (len(found) == 1 or device in found):
            return Rule(text, pattern, device if device in found else found[0])
        if len(found) > 1:
            raise BadRule(f"rule '{text}': '{device}' is {' or '.join(found)}; write one of them")
    raise BadRule(
        f"rule '{text}' needs to be KIND-OR-NODE:DEVICE with one of the devices "
        f"{', '.join(devices)}, such as graph.softmax:{devices[-1]}"
    )


def chosen(rules: Sequence[Rule], ops: Sequence[Operation]) -> dict[Operation, Rule]:
    """The last rule that matches each of the ops; `BadRule` for one that matches none of them."""
    found = dict[Operation, Rule]()
    for rule in rules:
        matched = [op for op in ops if rule.matches(op)]
        if not matched:
            raise BadRule(f"rule '{rule.text}' matches no op; there are {_some(ops)}")
        found |= dict.fromkeys(matched, rule)
    return found


def _some(ops: Sequence[Operation]) -> str:
    """What ops there are: all kinds, and some names."""
    sources = (op.attributes.get(SOURCE) for op in ops)
    names = [f"'{s.data}'" for s in sources if isinstance(s, StringAttr)][:EXAMPLES]
    kinds = ", ".join(dict.fromkeys(op.name for op in ops)) or "none"
    return f"{kinds}, with names such as {', '.join(names)}" if names else kinds
