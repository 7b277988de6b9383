"""
What Intel's compiler made of a kernel: its instructions, as IGC dumps them, and its hot block.

A line is `(W) mad (8|M0) r2.0<1>:f ...`: a mask, an opcode, how many lanes; a label stands alone,
and a branch to a label above it closes a loop. What a `send` does is in its comment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

MULTIPLY_ADDS = frozenset({"mad", "mac", "dp4a", "dpas", "madm"})
SEND_CYCLES = 2
"""to hand a message over; what it waits for is hidden behind other threads"""
DEEPER = 16
"""how much more often a loop inside of another one runs: hot blocks are where loops are deepest"""
_INSTRUCTION = re.compile(r"^(?:\([^)]*\))?\s*([a-z]\w*)(?:\.\w+)?\s+\((\d+)\|M\d+\)(.*)$")
_BRANCH = re.compile(
    r"^(?:\([^)]*\))?\s*(?:while|jmpi|goto|brc|brd)\b(?:\.\w+)?[^/]*?\b(_?\w+)\s*(?:\{.*\})?\s*(?://.*)?$"
)
_LABEL = re.compile(r"^(\w+):")
_SPILL = re.compile(r"^//\.spill size (\d+)", re.MULTILINE)
_NAME = re.compile(r"^//\.kernel (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Instruction:
    """One instruction for so many lanes; `message` says what a `send` does."""

    opcode: str
    lanes: int
    message: str = ""

    @property
    def is_send(self) -> bool:
        """Whether it is a message to memory or another unit."""
        return self.opcode.startswith("send")

    @property
    def is_multiply_add(self) -> bool:
        """Whether it computes; one lane computes addresses."""
        return self.opcode in MULTIPLY_ADDS and self.lanes > 1

    def cycles(self, width: int) -> int:
        """How long it takes one unit, which has `width` lanes."""
        return SEND_CYCLES if self.is_send else -(-self.lanes // width)


@dataclass(frozen=True)
class Block:
    """Instructions without a label between them, inside of `depth` loops."""

    depth: int
    instructions: Sequence[Instruction]

    @cached_property
    def multiply_adds(self) -> int:
        """How many instructions multiply and add."""
        return sum(i.is_multiply_add for i in self.instructions)

    def cycles(self, width: int) -> int:
        """How long it takes one unit."""
        return sum(i.cycles(width) for i in self.instructions)

    def share(self, width: int) -> float:
        """Which share of the cycles is of instructions that multiply and add."""
        busy = sum(i.cycles(width) for i in self.instructions if i.is_multiply_add)
        return busy / max(1, self.cycles(width))


@dataclass(frozen=True)
class Assembly:
    """A kernel as the device runs it."""

    name: str
    lanes: int
    """of a thread"""
    spill: int
    """bytes of registers that did not fit and are kept in memory"""
    blocks: Sequence[Block]

    @cached_property
    def instructions(self) -> int:
        """How many there are."""
        return sum(len(b.instructions) for b in self.blocks)

    @cached_property
    def hot(self) -> Block:
        """
        The block where a kernel spends its time: that with the most work, deeper loops count more;
        of equals the shorter one, as the other is for what is left at an end.
        """

        def weight(b: Block) -> tuple[int, int]:
            work = b.multiply_adds if computes else len(b.instructions)
            return DEEPER**b.depth * work, -len(b.instructions)

        computes = any(b.multiply_adds for b in self.blocks)
        return max(self.blocks, key=weight)

    @cached_property
    def messages(self) -> Counter[str]:
        """Memory messages by kind: `block read`, `block write`, `scattered`, ..., and `a64`."""
        return Counter(
            kind
            for b in self.blocks
            for i in b.instructions
            if i.is_send
            for kind in _kinds(i.message)
        )


def _kinds(message: str) -> list[str]:
    if "block read" in message or "block load" in message:
        kinds = ["block read"]
    elif "block write" in message or "block store" in message:
        kinds = ["block write"]
    elif "end of thread" in message:
        return []
    elif "read" in message or "load" in message:
        kinds = ["read"]
    elif "write" in message or "store" in message:
        kinds = ["write"]
    else:
        return ["other"]
    return [*kinds, "a64"] if "a64" in message else kinds


def parse(text: str, lanes: int) -> Assembly:
    """Read a dump (`*.asm`) of IGC; how many lanes a thread has is in the name of the file."""
    lines = [line for line in text.splitlines() if line and not line.startswith("//")]
    starts = {m[1]: k for k, line in enumerate(lines) if (m := _LABEL.match(line))}
    loops = [
        (starts[m[1]], k)
        for k, line in enumerate(lines)
        if (m := _BRANCH.match(line)) and starts.get(m[1], k + 1) <= k
    ]
    edges = {*starts.values(), *(k + 1 for _, k in loops)}
    blocks: list[Block] = []
    current: list[Instruction] = []
    begin = 0
    for k, line in enumerate([*lines, ""]):
        if (k in edges or k == len(lines)) and current:
            depth = sum(first <= begin and k - 1 <= last for first, last in loops)
            blocks.append(Block(depth, current))
            current = []
        if k in edges:
            begin = k
        if m := _INSTRUCTION.match(line):
            current.append(Instruction(m[1], int(m[2]), m[3].partition("//")[2]))
    name, spill = _NAME.search(text), _SPILL.search(text)
    return Assembly(name[1] if name else "", lanes, int(spill[1]) if spill else 0, blocks)
