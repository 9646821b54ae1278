"""Which scores a report is of: the current ones of the records, without what is private."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from corteval.errors import CortevalError, OptionError, ScoreFormatError
from corteval.report.ruled_out import with_ruled_out
from corteval.run.cells import Cell
from corteval.run.records import Record, Records
from corteval.score import Score
from corteval.sharing import private_data, redacted
from corteval.stats.board import Board

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """A board, and the records behind it.

    Args:
        board: the current scores.
        history: all records of each cell, the oldest first.
        withheld: cells left out since their data are private.
        stale: cells left out since newer records of their benchmark are on other data.
        damaged: files that were left out, with the reason.
    """

    board: Board
    history: dict[tuple[str, str], tuple[Record, ...]]
    withheld: int = 0
    stale: int = 0
    damaged: tuple[str, ...] = ()


def from_records(
    records: Records, *, private: bool = False, cells: Collection[Cell] | None = None
) -> Gathered:
    """The current scores of all cells: of each the last record that was made.

    Args:
        records: where they lie.
        private: also scores on private data, without values of single neuroids or stimuli.
        cells: leave out all others, if not None.
    """
    found: dict[tuple[str, str], list[Record]] = {}
    damaged = []
    withheld = set()
    for path in records.paths():
        try:
            record = records.read(path)
        except CortevalError as error:
            log.warning("A record is left out: %s", error)
            damaged.append(str(error))
            continue
        if cells is not None and record.cell not in cells:
            continue
        cell = (record.cell.model, record.cell.benchmark)
        if private_data(record.score) and not private:
            withheld.add(cell)
            continue
        found.setdefault(cell, []).append(record)
    history = {
        cell: tuple(sorted(several, key=lambda r: (r.measured.sequence, r.digest)))
        for cell, several in found.items()
    }
    fresh, stale = _on_the_same_data({cell: several[-1] for cell, several in history.items()})
    return Gathered(
        board=with_ruled_out(Board.of(_told(record.score) for record in fresh)),
        history=history,
        withheld=len(withheld),
        stale=stale,
        damaged=tuple(damaged),
    )


def from_file(path: Path, *, private: bool = False) -> Gathered:
    """The scores of a file that ``corteval score --output`` wrote.

    Raises:
        OptionError: if it cannot be read, or holds no scores.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} cannot be read: {error}.") from error
    try:
        scores = [Score.from_json(line) for line in lines if line.strip()]
    except ScoreFormatError as error:
        raise OptionError(
            f"{path} holds no scores, one JSON object a line, as `corteval score --output` "
            f"writes them: {error}"
        ) from error
    return _of_scores(scores, private=private)


def _on_the_same_data(current: Mapping[tuple[str, str], Record]) -> tuple[list[Record], int]:
    """Records that can stand beside each other: of each benchmark those on its newest data."""
    newest: dict[str, Record] = {}
    for (_, benchmark), record in current.items():
        known = newest.get(benchmark)
        if record.score.status == "scored" and (
            known is None or record.measured.started > known.measured.started
        ):
            newest[benchmark] = record
    kept = [
        record
        for (_, benchmark), record in current.items()
        if record.score.status != "scored" or _data(record) == _data(newest[benchmark])
    ]
    return kept, len(current) - len(kept)


def _data(record: Record) -> dict[str, str]:
    """Digests of what the score was computed on, without that of the model."""
    return {name: digest for name, digest in record.parents.items() if name != "model"}


def _told(score: Score) -> Score:
    """`score` without anything of single units, stimuli or subjects if its data are private.

    Replicates are of the whole score; they stay, for ranks need them, and no page shows them.
    """
    told = redacted(score)
    return told if told is score else replace(told, raw=score.raw, ceiling=score.ceiling)


def _of_scores(scores: Iterable[Score], *, private: bool) -> Gathered:
    scores = [*scores]
    kept = [_told(s) for s in scores if private or not private_data(s)]
    return Gathered(
        board=with_ruled_out(Board.of(kept)), history={}, withheld=len(scores) - len(kept)
    )
