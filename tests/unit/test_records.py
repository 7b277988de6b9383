"""Records of measured schedules: what is kept, for whom, by several at once, and damaged files."""

import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest

from lamina.backends.cpu.records import Record, Records
from lamina.backends.machine import describe
from lamina.errors import LaminaError

CPU = describe("cpu")


def record(workload: str = "w", schedule: str = "[vector i]", seconds: float = 1e-3) -> Record:
    return Record(workload, schedule, seconds, 2e-3, 1.5e-3, 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "records.sqlite"


def test_reading_makes_no_file(path: Path) -> None:
    assert Records(CPU, path).all() == []
    assert not path.parent.exists()


def test_what_is_put_is_found(path: Path) -> None:
    Records(CPU, path).put(record())
    (found,) = Records(CPU, path).all()
    assert found.measured
    assert (found.workload, found.schedule, found.trials) == ("w", "[vector i]", 8)
    assert (found.seconds, found.first, found.predicted) == (1e-3, 2e-3, 1.5e-3)
    assert Records(CPU, path).schedules() == {"w": "[vector i]"}


def test_newer_record_replaces_the_older(path: Path) -> None:
    records = Records(CPU, path)
    records.put(record())
    records.put(record(schedule="[vector j]"))
    assert records.schedules() == {"w": "[vector j]"}


def test_slowest_come_first(path: Path) -> None:
    records = Records(CPU, path)
    for name, seconds in (("a", 1.0), ("b", 3.0), ("c", 2.0)):
        records.put(record(name, seconds=seconds))
    assert [r.workload for r in records.all()] == ["b", "c", "a"]


def test_other_targets_and_versions_are_apart(path: Path) -> None:
    Records(CPU, path).put(record())
    assert not Records(describe("cpu:haswell"), path).all()
    assert not Records(CPU, path, made_by="another version").all()
    Records(CPU, path, made_by="another version").put(record(schedule="[vector k]"))
    assert Records(CPU, path).schedules() == {"w": "[vector i]"}


def test_file_that_another_process_begins_has_no_records(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert Records(CPU, path).all() == []
    Records(CPU, path).put(record())
    assert len(Records(CPU, path).all()) == 1


def test_damaged_file_is_named_with_the_remedy(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but long enough to be one " * 100)
    for use in (Records(CPU, path).all, lambda: Records(CPU, path).put(record())):
        with pytest.raises(LaminaError, match=f"{path}.*remove that file and tune again") as error:
            use()
        assert "\n" not in str(error.value)


def test_file_cut_off_in_the_middle_is_refused(path: Path) -> None:
    records = Records(CPU, path)
    for k in range(200):
        records.put(record(f"workload {k} " * 20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LaminaError, match="remove that file"):
        records.all()


def test_database_of_another_format_is_refused(path: Path) -> None:
    Records(CPU, path).put(record())
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LaminaError, match="its format is 99, this lamina reads 1"):
        Records(CPU, path).all()


def test_database_of_others_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE records (x)")
    with pytest.raises(LaminaError, match="its format is 0"):
        Records(CPU, path).put(record())


def test_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LaminaError, match="cannot write records"):
        Records(CPU, tmp_path / "file" / "records.sqlite").put(record())


def test_records_of_a_folder_that_only_others_write_are_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Records(CPU, path).put(record())
    access = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: p != path.parent and access(p, mode))
    assert Records(CPU, path).schedules() == {"w": "[vector i]"}


def put_many(path: Path, name: str) -> None:
    records = Records(CPU, path)
    for k in range(25):
        records.put(record(f"{name} {k}"))


def test_several_processes_write_at_once(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=put_many, args=(path, name)) for name in "abc"]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    assert len(Records(CPU, path).all()) == 75
