"""
Profiles of hypothesis: `pytest --hypothesis-profile=long` searches where nobody waits. And the
thread pool, built anew where its sources changed since: no test sees an old one.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=10_000, deadline=None)

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "backends" / "cpu" / "runtime"


def pytest_configure(config: pytest.Config) -> None:
    """Once, also for many processes of pytest-xdist."""
    sources = [ROOT / "setup.py", *RUNTIME.glob("*.cc"), *RUNTIME.glob("*.h")]
    changed = max(path.stat().st_mtime for path in sources)
    built = [path.stat().st_mtime for path in RUNTIME.glob("*.so")]
    if not hasattr(config, "workerinput") and (not built or min(built) < changed):
        command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"]
        subprocess.run(command, cwd=ROOT, check=True)
