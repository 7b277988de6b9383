"""What both commands begin with: arguments whose errors are one line, and Ctrl-C that is one."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any, NoReturn

from lamina.errors import LaminaError


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, exit status 1."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise LaminaError(f"{message}; see '{self.prog} --help'")


class OneEach(argparse.Action):
    """Collects pairs of a name and a value, one for each name."""

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        """Add a pair; refuse a second one for the same name."""
        found = getattr(namespace, self.dest)
        if values[0] in dict(found):
            raise argparse.ArgumentError(self, f"'{values[0]}' is given twice")
        setattr(namespace, self.dest, [*found, values])


class Interrupts:
    """
    Notices Ctrl-C even where the exception does not arrive: C extensions that are interrupted while
    they are imported turn it into errors of their own.
    """

    def __init__(self, last: bool) -> None:
        self.seen = False
        self._last = last
        """whether nothing is left to interrupt afterwards, but for Python's own end"""

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: object) -> None:
        self.seen = True
        raise KeyboardInterrupt

    def __exit__(self, *error: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN if self._last else self._previous)
