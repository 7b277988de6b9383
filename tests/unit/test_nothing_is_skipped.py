"""What counts as a failure where every test must say something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SKIPPED = {
    "skip": "import pytest\ndef test_a():\n    pytest.skip('tired')\n",
    "mark": "import pytest\n@pytest.mark.skip(reason='tired')\ndef test_a(): pass\n",
    "xfail": "import pytest\n@pytest.mark.xfail(reason='tired')\ndef test_a(): assert False\n",
    "xpass": "import pytest\n@pytest.mark.xfail(reason='tired')\ndef test_a(): pass\n",
    "import": "import pytest\npytest.importorskip('tired')\ndef test_a(): pass\n",
    "file": "import pytest\npytest.skip('tired', allow_module_level=True)\n",
}


PASSES = "def test_a(): pass\n"


def run(folder: Path, texts: dict[str, str], ci: str, *options: str) -> tuple[int, str]:
    """The exit status of pytest for these files, and its last lines."""
    for kind, text in texts.items():
        (folder / f"test_{kind}.py").write_text(text)
    where = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-rs", *options]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "CI": ci, "PYTHONPATH": path}
    done = subprocess.run(
        [*command, "--continue-on-collection-errors", *where],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["here", "in-a-worker"])
def test_skipped_tests_fail_under_ci(tmp_path: Path, options: tuple[str, ...]) -> None:
    status, said = run(tmp_path, {**SKIPPED, "passes": PASSES}, "true", *options)
    assert status == 1, said
    assert said.count("nothing may be skipped under CI=true: ") >= len(SKIPPED)
    assert re.search(r"3 failed, 1 passed(, \d+ warnings?)?, 3 errors in", said), said


def test_one_skipped_file_is_enough_to_fail(tmp_path: Path) -> None:
    status, said = run(tmp_path, {"import": SKIPPED["import"], "passes": PASSES}, "true")
    assert status != 0, said


def test_elsewhere_they_are_skipped(tmp_path: Path) -> None:
    status, said = run(tmp_path, {**SKIPPED, "passes": PASSES}, "")
    assert status == 0, said
    assert "1 passed, 4 skipped, 1 xfailed, 1 xpassed" in said
