"""Scores of a run, for its end: those computed now and those that had a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from corteval.cli import notes
from corteval.cli.score import print_scores
from corteval.cli.tables import print_table, say
from corteval.errors import CortevalError

if TYPE_CHECKING:
    from corteval.run.folder import RunFolder
    from corteval.run.plan import Known, Plan
    from corteval.score import Score

#: Cells that are listed one by one unless more is asked for.
LISTED = 60

#: Columns of the short form, in order.
_STATES = ("scored", "undefined", "not applicable", "failed", "unfinished")


@final
@dataclass(frozen=True, kw_only=True)
class Ended:
    """How it stands with a cell at the end of a run.

    Args:
        known: what the plan said of it.
        status: of its score, or ``"unfinished"``.
        reason: why it has no score.
        record: name of its record, empty if it has none.
        folder: of the record, below that of all records.
    """

    known: Known
    status: str
    reason: str = ""
    record: str = ""
    folder: str = ""

    def why(self) -> str:
        """Why it has no score."""
        score = None if self.reason else self.score()
        return self.reason if score is None else score.reason

    def score(self) -> Score | None:
        """Its score, read from the record; None of a cell that is unfinished."""
        from corteval.run import records
        from corteval.score import Score

        cell = self.known.cell
        if self.record:
            kept = records.default()
            try:
                return kept.read(kept.folder / self.folder / f"{self.record}.json").score
            except CortevalError as error:
                return Score.unscored(
                    "failed", str(error), model=cell.model, benchmark=cell.benchmark
                )
        if self.status == "unfinished":
            return None
        status: Any = self.status
        return Score.unscored(status, self.reason, model=cell.model, benchmark=cell.benchmark)


def ended(plan: Plan, run: RunFolder | None) -> list[Ended]:
    """How it stands with every cell of `plan`, in its order."""
    from corteval.run import index, records

    with index.opened(records.default()) as kept:
        rows = kept.all_current()
    outcomes = {}
    for task in run.tasks.values() if run is not None else ():
        outcome = run.outcome(task.identity) if run is not None else None
        if task.kind == "score" and outcome is not None:
            outcomes[task.keys[0]] = outcome
    found = []
    for known in plan.known:
        row, outcome = rows.get(known.key), outcomes.get(known.key)
        if outcome is not None and outcome.failure:
            place = {"record": outcome.record, "folder": records.folder_of(known.cell.model)}
            found.append(Ended(known=known, status="failed", reason=outcome.reason, **place))
        elif row is not None and row.name and known.state != "not applicable":
            facts = {"record": row.name, "folder": row.folder}
            found.append(Ended(known=known, status=row.status, **facts))
        elif known.state == "missing":
            found.append(Ended(known=known, status="unfinished"))
        else:
            status = "not-applicable" if known.state == "not applicable" else "failed"
            found.append(Ended(known=known, status=status, reason=known.reason))
    return found


def print_cells(cells: list[Ended], run: str, *, every: bool) -> None:
    """Print scores as ``corteval score`` does; of a large matrix how many there are of each model.

    Args:
        cells: of the run.
        run: its identity.
        every: list all cells, however many there are.
    """
    if not cells:
        return
    if every or len(cells) <= LISTED:
        print_scores([s for c in cells if (s := c.score()) is not None], False, one=False)
        return
    print_table(("model", *_STATES), [*_by_model(cells)])
    of = [(c.known.cell.model, c.known.cell.benchmark) for c in cells]
    failed = [(*at, c.why()) for at, c in zip(of, cells, strict=True) if c.status == "failed"]
    notes.print_reasons("failed", failed, of)
    say(
        f"{len(cells)} cells: --cells lists all, and so do `corteval report --run {run}` and "
        f"`corteval plot heatmap --run {run}`."
    )


def as_json(cells: list[Ended]) -> list[dict[str, Any]]:
    """Every cell, with the name of its record."""
    return [
        {
            "model": cell.known.cell.model,
            "benchmark": cell.known.cell.benchmark,
            "status": cell.status,
            "value": score.value if score is not None and score.status == "scored" else None,
            "low": score.interval.low if score is not None and score.interval else None,
            "high": score.interval.high if score is not None and score.interval else None,
            "level": score.interval.level if score is not None and score.interval else None,
            "reason": cell.reason or (score.reason if score is not None else ""),
            "cached": cell.known.state == "cached",
            "record": cell.record or None,
        }
        for cell in cells
        for score in [cell.score()]
    ]


def _by_model(cells: list[Ended]) -> Iterator[tuple[str, ...]]:
    for model in dict.fromkeys(cell.known.cell.model for cell in cells):
        own = [cell for cell in cells if cell.known.cell.model == model]
        counts = Counter(cell.status.replace("-", " ") for cell in own)
        yield (model, *(str(counts[state]) for state in _STATES))
