"""
The commands in the documentation do what it says.

In a `console` block, a line that begins with `$ ` is a command, and the lines below are all that
it prints; `...` stands for any text, on a line of its own for any lines. A block that begins with,
say, "python file=my_pass.py" is first written to that file. Commands of one page run in order in
one folder, which has the repository's `examples` in it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def session(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it prints."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            assert found, f"a console block begins with a command, not with: {line}"
            command, output = found.pop()
            if command.endswith("\\"):
                found.append((f"{command}\n{line}", output))
            else:
                found.append((command, f"{output}{line}\n"))
    return found


def matches(output: str, expected: str) -> bool:
    """Whether a command printed what the page shows."""
    lines = [
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected.splitlines()
    ]
    return re.fullmatch("".join(lines), output) is not None


def run(command: str, folder: Path) -> str:
    """What a command prints; it must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for language, file, text in BLOCK.findall(page.read_text()):
        if file:
            (tmp_path / file).write_text(text)
        if language == "console":
            for command, expected in session(text):
                output = run(command, tmp_path)
                assert matches(output, expected), f"$ {command}\n{output}\nthe page:\n{expected}"


def test_readme_commands_are_run_before_a_change_lands() -> None:
    """The blocks marked `sh` are what `.ci/run` does in a clean clone."""
    check = (ROOT / ".ci" / "run").read_text()
    readme = (ROOT / "README.md").read_text()
    commands = [text for language, _, text in BLOCK.findall(readme) if language == "sh"]
    assert "make test" in "\n".join(commands)
    for command in "\n".join(commands).splitlines():
        plain = command.partition("#")[0].strip()
        assert f"step {plain}" in check, f".ci/run does not run: {plain}"


@pytest.mark.parametrize(
    ("output", "expected", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nx\ny\nb\n", "a\n...\nb\n", True),
        ("took 1.5 s\n", "took ... s\n", True),
        ("took 1.5 h\n", "took ... s\n", False),
        ("", "a\n", False),
    ],
)
def test_output_is_compared_line_by_line(output: str, expected: str, same: bool) -> None:
    assert matches(output, expected) == same


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *PAGES[1:]], ids=lambda p: p.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
