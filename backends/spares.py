"""What a call of a model needs for itself, kept for the next call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Spares(Generic[T]):
    """Things that one call uses at a time: as many as there were calls at once."""

    def __init__(self) -> None:
        # append and pop of a list are atomic: calls share this without a lock
        self._idle: list[T] = []

    def take(self, make: Callable[[], T]) -> T:
        """One that nobody uses, made now if there is none."""
        try:
            return self._idle.pop()
        except IndexError:
            return make()

    def give(self, used: T) -> None:
        """It may be used again; what a call that failed has left behind is better not given."""
        self._idle.append(used)
