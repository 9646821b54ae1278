"""Which records there are of a cell: an index in SQLite that may be deleted at any time.

The files are the truth. Whoever opens the index brings it up to date by their names, so that one
that is old, locked, damaged or gone costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, final

from corteval.errors import CortevalError
from corteval.run.records import Record, Records

log = logging.getLogger(__name__)

#: Raised when the table changes; an index of another number is made anew.
_VERSION = 1
_TABLE = """
create table if not exists records (
    name text primary key, folder text, key text, model text, benchmark text, status text,
    value real, seconds real, peak_bytes integer, sequence integer
);
create index if not exists by_key on records (key);
create index if not exists by_benchmark on records (benchmark);
"""
_COLUMNS = "name, folder, key, model, benchmark, status, value, seconds, peak_bytes, sequence"


class Row(NamedTuple):
    """A record in the index."""

    name: str
    folder: str
    key: str
    model: str
    benchmark: str
    status: str
    value: float | None
    seconds: float | None
    peak_bytes: int | None
    sequence: int


@final
class Index:
    """Records by what determines them."""

    def __init__(self, records: Records, connection: sqlite3.Connection) -> None:
        self.records = records
        self._connection = connection

    def update(self) -> None:
        """Take in records that are new, and forget those that are gone."""
        known = {name for (name,) in self._connection.execute("select name from records")}
        found = {path.stem: path for path in self.records.paths()}
        gone, new = known - found.keys(), found.keys() - known
        with self._connection:
            self._connection.executemany(
                "delete from records where name = ?", [(name,) for name in gone]
            )
            for name in sorted(new):
                try:
                    record = self.records.read(found[name])
                except CortevalError as error:
                    log.warning("A record is left out: %s", error)
                    continue
                self._connection.execute(
                    f"insert or replace into records ({_COLUMNS}) values (?,?,?,?,?,?,?,?,?,?)",
                    _row(record, name, found[name].parent.name),
                )

    def current(self, key: str) -> Row | None:
        """The last record made of what has `key`."""
        found = self._rows("where key = ? order by sequence desc, name desc limit 1", (key,))
        return found[0] if found else None

    def all_current(self) -> dict[str, Row]:
        """The last record of every key."""
        return {row.key: row for row in self._rows("order by sequence, name", ())}

    def of_benchmark(self, benchmark: str) -> list[Row]:
        """Records of all models on a benchmark, to predict time and memory from."""
        return self._rows("where benchmark = ?", (benchmark,))

    def path(self, row: Row) -> Path:
        """File of a record."""
        return self.records.folder / row.folder / f"{row.name}.json"

    def _rows(self, condition: str, values: tuple[object, ...]) -> list[Row]:
        query = f"select {_COLUMNS} from records {condition}"
        return [Row(*found) for found in self._connection.execute(query, values)]


@contextlib.contextmanager
def opened(records: Records) -> Iterator[Index]:
    """The index of `records`, up to date; in memory where its file cannot be used."""
    with contextlib.closing(_connection(records.folder / "index.sqlite")) as connection:
        index = Index(records, connection)
        try:
            index.update()
        except sqlite3.Error as error:  # another process holds it, or the disk is read-only
            log.info("The index cannot be used (%s); it is made in memory.", error)
            with contextlib.closing(_made(sqlite3.connect(":memory:"))) as memory:
                index = Index(records, memory)
                index.update()
                yield index
            return
        yield index


def _connection(path: Path) -> sqlite3.Connection:
    for _ in range(2):
        try:
            return _made(sqlite3.connect(path, timeout=5))
        except sqlite3.Error:
            with contextlib.suppress(OSError):  # damaged, or of another version
                path.unlink()
    return _made(sqlite3.connect(":memory:"))


def _made(connection: sqlite3.Connection) -> sqlite3.Connection:
    """With the table; a rollback journal works on network disks, where write-ahead logs do not."""
    try:
        connection.execute("pragma journal_mode=delete")
        (version,) = connection.execute("pragma user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"version {version}")
        connection.executescript(_TABLE)
        connection.execute(f"pragma user_version={_VERSION}")
        connection.execute("select count(*) from records").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _row(record: Record, name: str, folder: str) -> Row:
    score, measured = record.score, record.measured
    value = score.value if score.status == "scored" else None
    return Row(
        name,
        folder,
        record.key,
        record.cell.model,
        record.cell.benchmark,
        score.status,
        value,
        measured.seconds,
        measured.peak_bytes,
        measured.sequence,
    )
