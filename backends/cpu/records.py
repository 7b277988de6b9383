"""
What was measured to be fastest, in a database: schedules by workload, target, machine and version.

Several processes may read and write at once. One that only reads makes no file. What does not hold
together is an error that names the file, never a guess.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from lamina.backends.cpu.objects import key_of, records_file
from lamina.backends.machine import Machine, llvm_host
from lamina.backends.rates import rates_file
from lamina.errors import LaminaError

FORMAT = 1
"""of the table"""
PATIENCE = 30
"""seconds to wait while another process writes"""


@dataclass(frozen=True)
class Record:
    """The fastest schedule of one workload."""

    workload: str
    """its text"""
    schedule: str
    seconds: float
    """of one call, caches cold"""
    first: float
    """of the schedule that would have been chosen without measuring"""
    predicted: float
    """what that one should have taken"""
    trials: int
    """how many schedules were measured"""
    measured: str = ""
    """when"""


FIELDS = tuple(f.name for f in fields(Record))
PLACE = ("target", "machine", "version")
_CREATE = f"""
CREATE TABLE records (
  key TEXT NOT NULL, {", ".join(f"{name} TEXT NOT NULL" for name in PLACE)},
  workload TEXT NOT NULL, schedule TEXT NOT NULL, seconds REAL NOT NULL, first REAL NOT NULL,
  predicted REAL NOT NULL, trials INTEGER NOT NULL, measured TEXT NOT NULL,
  PRIMARY KEY (key, {", ".join(PLACE)}))"""


class Records:
    """The records of one target on this machine, by this version of lamina."""

    def __init__(
        self, machine: Machine, path: Path | None = None, made_by: str | None = None
    ) -> None:
        self.path = path or records_file()
        host = llvm_host()
        here = rates_file(host.cpu, host.features).stem
        self._place = (machine.name, here, made_by or version("lamina"))

    def all(self) -> list[Record]:
        """What is there, the slowest first; nothing where there is no file."""
        if not self.path.exists():
            return []
        columns, where = ", ".join(FIELDS), " AND ".join(f"{name} = ?" for name in PLACE)
        with self._open() as db:
            if not self._has_table(db):
                return []
            order = "ORDER BY seconds DESC"
            rows = db.execute(f"SELECT {columns} FROM records WHERE {where} {order}", self._place)
            return [Record(*row) for row in rows]

    def schedules(self) -> dict[str, str]:
        """The text of each workload -> its schedule."""
        return {r.workload: r.schedule for r in self.all()}

    def put(self, record: Record) -> None:
        """Keep a record, in place of an older one of the same workload."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = (key_of(record.workload), *self._place, *astuple(record)[:-1], now)
        names = ("key", *PLACE, *FIELDS)
        marks = ", ".join("?" * len(names))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise LaminaError(f"cannot write records to '{self.path}': {e.strerror}") from e
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            if not self._has_table(db):
                db.execute(_CREATE)
                db.execute(f"PRAGMA user_version = {FORMAT}")
            db.execute(
                f"INSERT OR REPLACE INTO records ({', '.join(names)}) VALUES ({marks})", values
            )
            db.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database; what goes wrong with it is an error that says what to do."""
        connect = partial(sqlite3.connect, timeout=PATIENCE, uri=True, isolation_level=None)
        try:
            with closing(connect(self._address())) as db:
                yield db
        except sqlite3.DatabaseError as e:
            raise LaminaError(
                f"cannot use the records in '{self.path}': {e}; remove that file and tune again"
            ) from e

    def _has_table(self, db: sqlite3.Connection) -> bool:
        """Whether there are records; not in a file that another process begins just now."""
        (found,) = db.execute("PRAGMA user_version").fetchone()
        tables = db.execute("SELECT name FROM sqlite_master").fetchall()
        if found != FORMAT and (found or tables):
            raise sqlite3.DatabaseError(f"its format is {found}, this lamina reads {FORMAT}")
        return bool(tables)

    def _address(self) -> str:
        """Where nothing can be written, not even the files beside it that readers share."""
        fixed = self.path.exists() and not os.access(self.path.parent, os.W_OK)
        return self.path.absolute().as_uri() + ("?immutable=1" if fixed else "")
