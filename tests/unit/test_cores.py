"""How many threads a model gets unless told: what affinity, cores and control groups allow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lamina.backends.cpu import cores
from lamina.backends.cpu.cores import Claim, default_threads, quota, spread

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "33 25 0:28 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory\n"
    "34 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:13 - cgroup cgroup rw,cpu,cpuacct\n"
)
DISK = "22 1 254:0 / / rw,relatime - ext4 /dev/root rw,discard\n"


def tree(folder: Path, files: Mapping[str, str]) -> Path:
    """These files under `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def v2(folder: Path, path: str, **limits: str) -> Path:
    """A system with version 2, on which the process is in the group `path`."""
    files = {"proc/self/mountinfo": DISK + V2, "proc/self/cgroup": f"0::{path}\n"}
    for group, limit in limits.items():
        files[f"sys/fs/cgroup/{group.replace('_', '/')}/cpu.max"] = limit + "\n"
    return tree(folder, files)


def v1(folder: Path, path: str, group: str, given: str, period: str = "100000") -> Path:
    """A system with version 1, on which `group` has a quota."""
    return tree(
        folder,
        {
            "proc/self/mountinfo": DISK + V1,
            "proc/self/cgroup": f"5:memory:/m\n4:cpu,cpuacct:{path}\n1:name=systemd:/\n",
            f"sys/fs/cgroup/cpu,cpuacct/{group}/cpu.cfs_quota_us": given + "\n",
            f"sys/fs/cgroup/cpu,cpuacct/{group}/cpu.cfs_period_us": period + "\n",
        },
    )


def test_without_control_groups_the_cores_count(tmp_path: Path) -> None:
    assert quota(tmp_path) == float("inf")
    assert default_threads(tmp_path, [0, 1, 5]) == 3


@pytest.mark.parametrize(
    ("limit", "threads"),
    [("max 100000", 8), ("400000 100000", 4), ("250000 100000", 2), ("20000 50000", 1)],
)
def test_the_quota_of_version_2_is_rounded_down(tmp_path: Path, limit: str, threads: int) -> None:
    assert default_threads(v2(tmp_path, "/a", a=limit), range(8)) == threads


def test_groups_around_the_own_one_limit_too(tmp_path: Path) -> None:
    assert quota(v2(tmp_path, "/a/b", a="300000 100000", a_b="max 100000")) == 3
    assert quota(v2(tmp_path, "/a/b", a="300000 100000", a_b="200000 100000")) == 2


def test_a_container_sees_only_its_own_group(tmp_path: Path) -> None:
    """Its group is mounted as the root, under a name from outside."""
    root = v1(tmp_path, "/docker/1234", ".", "150000")
    assert quota(root) == 1.5
    assert quota(v2(tmp_path / "2", "/../other", **{".": "200000 100000"})) == 2


def test_a_group_may_be_mounted_without_those_around_it(tmp_path: Path) -> None:
    root = v1(tmp_path, "/docker/1234/job", "job", "300000")
    (root / "proc/self/mountinfo").write_text(V1.replace(" / /sys", " /docker/1234 /sys"))
    assert quota(root) == 3


@pytest.mark.parametrize(("given", "allows"), [("-1", float("inf")), ("50000", 0.5)])
def test_the_quota_of_version_1(tmp_path: Path, given: str, allows: float) -> None:
    root = v1(tmp_path, "/user", "user", given)
    assert quota(root) == allows
    assert default_threads(root, [0, 1]) == (2 if given == "-1" else 1)


def test_hardware_threads_of_one_core_count_once(tmp_path: Path) -> None:
    siblings = {
        f"sys/devices/system/cpu/cpu{k}/topology/thread_siblings_list": f"{k % 4},{k % 4 + 4}\n"
        for k in range(8)
    }
    root = tree(tmp_path, siblings)
    assert default_threads(root, range(8)) == 4
    assert default_threads(root, [0, 4]) == 1
    assert spread([0, 1, 4, 5, 6], root) == [0, 1, 6, 4, 5]


def test_this_computer_has_threads() -> None:
    assert 1 <= default_threads() <= len(os.sched_getaffinity(0))


def test_the_affinity_mask_is_respected() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from lamina.backends.cpu.cores import default_threads; print(default_threads())"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "1\n"


NAME = f"lamina test {os.getpid()}"

# Claims the cores of as many processors as it is told, says which, and holds them until told to end
CLAIM = """
import sys
from lamina.backends.cpu import cores
cores.allowed = lambda: [100, 101, 102]
cores.CLAIMED = sys.argv[2]
claim = cores.Claim()
claim.take(int(sys.argv[1]))
print(claim.cpus, flush=True)
sys.stdin.read()
"""


def claimed_elsewhere(count: int) -> tuple[subprocess.Popen[str], str]:
    """A process that claims cores, and what it got."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(count), NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_two_processes_never_claim_the_same_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "allowed", lambda: [100, 101, 102])
    monkeypatch.setattr(cores, "CLAIMED", NAME)
    first, got = claimed_elsewhere(2)
    assert got == "[100, 101]"
    claim = Claim()
    assert not claim.take(2), "one is left, and two are needed"
    assert claim.take(1)
    assert claim.cpus == [102]
    second, got = claimed_elsewhere(1)
    assert got == "[]"
    second.communicate()
    claim.close()
    first.kill()  # as it would die; the system gives its cores free
    first.communicate()
    assert claim.take(3)
    assert claim.cpus == [100, 101, 102]
    claim.close()
