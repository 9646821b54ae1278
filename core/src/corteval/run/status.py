"""How far a run is, read from its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from corteval import settings
from corteval.errors import OptionError
from corteval.notebook import block, frame, table
from corteval.run import tally
from corteval.run.folder import RunFolder
from corteval.store import leases

if TYPE_CHECKING:
    import pandas as pd


#: What the cells are called that were not to be computed.
_BEFORE = {
    "cached": "had a record",
    "failed": "failed, not computed again",
    "broken": "cannot be resolved",
}


@final
@dataclass(frozen=True, kw_only=True)
class Status:
    """Cells of a run in numbers.

    Args:
        cells: how many there are, of all models on all benchmarks.
        finished: how many of them have a record of a score, or of why there is none.
        by_status: those that were computed since the run was last started, by the status of the
            score.
        failures: cells that failed, with kind and reason.
        unscored: cells that have no score for a reason that is an answer.
        unfinished: cells still to be done.
        at_work: tasks that somebody is at.
        cancelled: whether workers were told to stop.
        before: cells that were not to be computed when the run was last started, by what was known
            of them: ``"cached"`` had a record.
    """

    cells: int
    finished: int
    by_status: Mapping[str, int]
    failures: tuple[Mapping[str, Any], ...]
    unscored: tuple[Mapping[str, Any], ...]
    unfinished: int
    at_work: tuple[Mapping[str, Any], ...]
    cancelled: bool
    before: Mapping[str, int] = field(default_factory=dict)

    @property
    def computed(self) -> int:
        """Cells that were computed since the run was last started, without those that failed."""
        return sum(self.by_status.values()) - len(self.failures)

    def counts(self) -> list[tuple[str, int]]:
        """How many cells there are of each kind, in words; all of them together are `cells`."""
        before = [(_BEFORE.get(state, state), count) for state, count in self.before.items()]
        return [*self.by_status.items(), *before, ("to be done", self.unfinished)]

    def to_frame(self) -> pd.DataFrame:
        """One row a cell that failed, has no score, or that somebody is at."""
        return frame([*self._told()], ("state", "model", "benchmark", "reason"))

    def _repr_html_(self) -> str:
        rows = [{"cells": name, "count": count} for name, count in self.counts()]
        title = f"{self.finished} of {self.cells} cells are finished"
        title += "; the run is cancelled" if self.cancelled else ""
        told = table(
            [*self._told()], empty="No cell failed or lacks a score, and none is worked on."
        )
        return block(table(rows, title=title), told)

    def _told(self) -> Iterator[dict[str, Any]]:
        for cell in (*self.failures, *self.unscored, *self.at_work):
            state = cell.get("failure") or cell.get("status") or "at work"
            yield {
                "state": f"failed: {state}" if "failure" in cell else state,
                "model": cell["model"],
                "benchmark": cell["benchmark"],
                "reason": cell.get("reason", ""),
            }


def status_of(run: RunFolder) -> Status:
    """How far `run` is."""
    done, told = run.done(), tally.ends(run.folder)
    lines = _listed(run)
    by_status: Counter[str] = Counter()
    failures, unscored, at_work, cells = [], [], [], 0
    held = {path.name for path in (run.folder / "leases").iterdir()} - done
    for line in lines:
        identity = line[: line.index("\t")]
        if identity in held and leases.in_use(run.folder / "leases" / identity):
            at_work.append(_named(line))
        if not identity.startswith("score-"):
            continue
        cells += 1
        if identity not in done:
            continue
        if told.get(identity) == "scored":
            by_status["scored"] += 1
            continue
        outcome = run.outcome(identity)
        if outcome is None:
            continue
        by_status[outcome.status] += 1
        if outcome.failure:
            facts = {"failure": outcome.failure, "reason": outcome.reason}
            failures.append({**_named(line), **facts, "record": outcome.record})
        elif outcome.status != "scored":
            facts = {"status": outcome.status, "reason": outcome.reason}
            unscored.append({**_named(line), **facts})
    ended = sum(by_status.values())
    before = _before(tally.states(run.folder), cells)
    return Status(
        cells=cells + sum(before.values()),
        finished=ended - len(failures) + before.get("cached", 0),
        by_status=dict(by_status),
        failures=tuple(failures),
        unscored=tuple(unscored),
        unfinished=cells - ended,
        at_work=tuple(at_work),
        cancelled=run.cancelled,
        before=before,
    )


def _before(states: Mapping[str, int], tasks: int) -> dict[str, int]:
    """Cells that were not to be computed: `tasks` are those that lacked a record, then failures."""
    left = {state: count for state, count in states.items() if state != "missing"}
    again = min(max(0, tasks - states.get("missing", 0)), left.get("failed", 0))
    left["failed"] = left.get("failed", 0) - again
    return {state: count for state, count in left.items() if count}


def run_named(name: str | None) -> RunFolder:
    """The run in a folder, of an identity, or the last one: ``"last"``, as None.

    Raises:
        OptionError: if there is none.
    """
    base = settings.home() / "runs"
    if name is None or name == "last":
        plans = list(base.glob("*/plan.json"))
        if not plans:
            raise OptionError(f"There is no run in {base} yet; `corteval run` makes one.")
        return RunFolder(max(plans, key=lambda path: path.stat().st_mtime_ns).parent)
    for folder in (Path(name).expanduser(), base / name):
        if (folder / "plan.json").is_file():
            return RunFolder(folder)
    known = ", ".join(sorted(path.parent.name for path in base.glob("*/plan.json"))[-5:])
    raise OptionError(
        f"There is no run {name!r}: neither a folder with a plan.json nor one of {known or 'none'}."
    )


def _listed(run: RunFolder) -> Sequence[str]:
    found = tally.listed(run.folder)
    if found is not None:
        return found
    tasks = run.tasks.items()
    return [tally.Listed(i, t.model, t.cells[0].benchmark).line for i, t in tasks]


def _named(line: str) -> dict[str, Any]:
    task = tally.Listed.of(line)
    named = {"task": task.identity, "model": task.model or "-"}
    return {**named, "benchmark": task.benchmark}
