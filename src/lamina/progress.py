"""A progress bar for people who wait: on a terminal, and only for what takes over a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Where a long piece of work says how far it is."""

    def __call__(self, what: str, more: int = 0) -> None:
        """One step is about to begin; `more` steps became known."""
        ...


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr that appears after a second and leaves nothing behind."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from tqdm import tqdm  # 0.1 s that only a terminal needs

    with tqdm(total=0, delay=1, leave=False, file=sys.stderr, dynamic_ncols=True) as bar:

        def step(what: str, more: int = 0) -> None:
            bar.total += more
            bar.set_description_str(what, refresh=False)
            bar.update()

        yield step


def _silent(what: str, more: int = 0) -> None:
    pass
