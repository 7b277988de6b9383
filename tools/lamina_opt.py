"""
The `lamina-opt` command. What it needs takes a quarter of a second to import, and Ctrl-C is one
line from the beginning.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lamina.tools._program import Interrupts


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; the exit status is 0, or 1 after a line on stderr that says why."""
    interrupts = Interrupts(last=argv is None)
    try:
        with interrupts:
            from lamina.tools import opt  # see above

            return opt.main(argv)
    except BaseException:
        if not interrupts.seen:
            raise
        print("lamina-opt: interrupted", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
