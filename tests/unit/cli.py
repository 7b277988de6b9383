"""The `lamina` command, run in this process."""

import pytest

from lamina.tools.lamina import main


class Command:
    """Runs the command and looks at all three of its results."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *args: object) -> str:
        """What was printed, if all was well."""
        status = main([str(a) for a in args])
        out, err = self.capsys.readouterr()
        assert (status, err) == (0, "")
        return out

    def error(self, *args: object) -> str:
        """The one line of an error."""
        status = main([str(a) for a in args])
        _, err = self.capsys.readouterr()
        assert status == 1
        assert err.startswith("lamina: ")
        assert err.count("\n") == 1
        return err.removeprefix("lamina: ").rstrip("\n")
