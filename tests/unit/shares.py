"""Work shared out among threads in tests, where there is not enough of it to be worth that."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from lamina.passes.te import _shares


@contextmanager
def however_small() -> Iterator[None]:
    """What takes next to no time is shared out as well."""
    with patch.multiple(_shares, WORTH=0, FORK=0, TORN=0):
        yield
