"""The progress bar: on terminals only, and only for who waits."""

import io
import sys
import time

import pytest

from lamina.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, seconds: float, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar() as step:
        step("read", more=1)
        step("passes", more=10)
        for k in range(10):
            time.sleep(seconds / 10)
            step(f"step-{k}")
    return stream.getvalue()


def test_work_of_less_than_a_second_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(Terminal(), 0.0, monkeypatch) == ""


def test_longer_work_shows_a_bar_and_removes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(Terminal(), 1.5, monkeypatch)
    assert "step-0" not in text
    assert "step-9" in text
    *_, cleared, end = text.split("\r")
    assert (cleared.strip(), end) == ("", "")


def test_what_is_no_terminal_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(io.StringIO(), 1.5, monkeypatch) == ""
