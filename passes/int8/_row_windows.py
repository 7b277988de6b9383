"""
Which bytes that lie in a row are multiplied four at a time.

A row is vectors of bytes one behind the other in memory, a sum reads some that are neighbours, and
sums beside each other read vectors in common. A window is four neighbours, of which a sum uses up
to four: of two sums of three, each uses its own three of the same window.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import groupby, pairwise
from typing import NamedTuple

FOUR = 4


class Place(NamedTuple):
    """A vector of a row: number `at` of those that lie one behind the other."""

    row: tuple[int, int]
    """places of different rows have nothing to do with each other"""
    at: int

    def moved(self, by: int) -> Place:
        """The place so many vectors further."""
        return Place(self.row, self.at + by)


def pieces(places: Iterable[Place]) -> list[list[Place]]:
    """
    Runs of neighbours cut into pieces of 2, 3 or 4, as equal as can be; what has no neighbour is in
    none.
    """
    runs = groupby(enumerate(sorted(set(places))), lambda kp: (kp[1].row, kp[1].at - kp[0]))
    found: list[list[Place]] = []
    for _, members in runs:
        run = [place for _, place in members]
        count = -(-len(run) // FOUR)
        cuts = [k * len(run) // count for k in range(count + 1)]
        found += [run[a:b] for a, b in pairwise(cuts) if b - a > 1]
    return found


def windows(found: Iterable[list[Place]], there: Set[Place]) -> dict[tuple[Place, int], Place]:
    """
    The first place of the window for each piece, by the piece's own first place and length.

    The fewest windows that touch nothing but what is `there`; a piece for which there is none is
    left out. Each is as far behind as its first reader allows, so that the next may use it too.
    """
    chosen: dict[tuple[Place, int], Place] = {}
    taken: set[Place] = set()
    for first, length in sorted({(piece[0], len(piece)) for piece in found}):
        starts = [first.moved(-k) for k in range(FOUR - length + 1)]
        inside = [s for s in starts if all(s.moved(k) in there for k in range(FOUR))]
        if inside:
            chosen[first, length] = next((s for s in inside if s in taken), inside[0])
            taken.add(chosen[first, length])
    return chosen
