"""The cache of compiled objects: hits, damage, folders that cannot be written, many processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from lamina.backends.cpu import build
from lamina.backends.cpu.build import build_objects
from lamina.backends.cpu.objects import ObjectCache, default_folder, key_of
from lamina.backends.machine import describe
from lamina.context import new_context

KEY = key_of("a kernel")


def parse(value: float) -> ModuleOp:
    text = f"""
func.func @f(%y: memref<1xf32>) {{
  %v = arith.constant {value} : f32
  vec.store %v, %y[0] : f32, memref<1xf32>
  func.return
}}"""
    return Parser(new_context(), text).parse_module()


def test_the_second_time_nothing_is_compiled(tmp_path: Path) -> None:
    first = build_objects(parse(1.5), describe("cpu"), ObjectCache(tmp_path))
    cache = ObjectCache(tmp_path)
    assert build_objects(parse(1.5), describe("cpu"), cache) == first
    assert (cache.hits, cache.misses) == (1, 0)


@pytest.mark.parametrize("other", [(2.5, "cpu"), (1.5, "cpu:haswell")])
def test_another_kernel_or_cpu_is_another_object(tmp_path: Path, other: tuple[float, str]) -> None:
    build_objects(parse(1.5), describe("cpu"), ObjectCache(tmp_path))
    cache = ObjectCache(tmp_path)
    build_objects(parse(other[0]), describe(other[1]), cache)
    assert (cache.hits, cache.misses) == (0, 1)


def test_another_version_of_lamina_is_another_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_objects(parse(1.5), describe("cpu"), ObjectCache(tmp_path))
    monkeypatch.setattr(build, "version", lambda _: "9.9")
    cache = ObjectCache(tmp_path)
    build_objects(parse(1.5), describe("cpu"), cache)
    assert cache.misses == 1


def test_a_key_keeps_its_parts_apart() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: b"", lambda d: b"x" + d[1:]])
def test_a_damaged_entry_is_compiled_anew(tmp_path: Path, damage) -> None:
    ObjectCache(tmp_path).get(KEY, lambda: b"code")
    path = tmp_path / KEY
    path.write_bytes(damage(path.read_bytes()))
    assert ObjectCache(tmp_path).get(KEY, lambda: b"again") == b"again"
    assert ObjectCache(tmp_path).get(KEY, lambda: b"never") == b"again"


def test_a_folder_that_cannot_be_written_costs_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    cache = ObjectCache(tmp_path / "file" / "folder")
    assert [cache.get(key_of(str(k)), lambda: b"code") for k in range(3)] == [b"code"] * 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lamina: cannot cache objects in")
    assert line.endswith("Not a directory")


def test_a_failed_compilation_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ObjectCache(tmp_path).get(KEY, fails)
    assert not list(tmp_path.iterdir())


def test_the_entries_unused_for_longest_go_first(tmp_path: Path) -> None:
    for k in range(5):
        ObjectCache(tmp_path).get(str(k), lambda: bytes(1000))
        os.utime(tmp_path / str(k), (k, k))
    ObjectCache(tmp_path).get("0", lambda: b"")  # used again
    ObjectCache(tmp_path, limit=3500).get("new", lambda: bytes(1000))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0", "4", "new"]


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", "/somewhere/else")
    assert default_folder() == Path("/somewhere/else")
    monkeypatch.delenv("LAMINA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_folder() == Path("/caches/lamina")


WRITER = """
import sys
from pathlib import Path
from lamina.backends.cpu.objects import ObjectCache
for k in range(300):
    data = ObjectCache(Path(sys.argv[1])).get(str(k % 7), lambda: bytes([k % 7]) * 50_000)
    assert data == bytes([k % 7]) * 50_000, k
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [p.wait() for p in running] == [0, 0, 0]
    assert sorted(p.name for p in tmp_path.iterdir()) == [str(k) for k in range(7)]
